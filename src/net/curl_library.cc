#include "net/curl_library.h"

#include <dlfcn.h>

#include <string>

#include "base/error.h"

namespace net {

namespace {

constexpr const char* kLibrary = "libcurl.so.4";

template <typename Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (!function) throw base::Broken(std::string(kLibrary) + " has no " + name);
}

CurlLibrary load() {
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (!library) throw base::Broken(std::string("HTTP needs libcurl, which cannot be loaded: ") + dlerror());
  CurlLibrary c{};
  find(library, "curl_global_init", c.global_init);
  find(library, "curl_global_cleanup", c.global_cleanup);
  find(library, "curl_free", c.free);
  find(library, "curl_slist_append", c.slist_append);
  find(library, "curl_slist_free_all", c.slist_free_all);
  find(library, "curl_url", c.url);
  find(library, "curl_url_cleanup", c.url_cleanup);
  find(library, "curl_url_get", c.url_get);
  find(library, "curl_url_set", c.url_set);
  find(library, "curl_easy_init", c.easy_init);
  find(library, "curl_easy_cleanup", c.easy_cleanup);
  find(library, "curl_easy_getinfo", c.easy_getinfo);
  find(library, "curl_easy_pause", c.easy_pause);
  find(library, "curl_easy_setopt", c.easy_setopt);
  find(library, "curl_easy_strerror", c.easy_strerror);
  find(library, "curl_multi_init", c.multi_init);
  find(library, "curl_multi_cleanup", c.multi_cleanup);
  find(library, "curl_multi_add_handle", c.multi_add_handle);
  find(library, "curl_multi_remove_handle", c.multi_remove_handle);
  find(library, "curl_multi_setopt", c.multi_setopt);
  find(library, "curl_multi_info_read", c.multi_info_read);
  find(library, "curl_multi_socket_action", c.multi_socket_action);
  return c;
}

}  // namespace

const CurlLibrary& curl() {
  static const CurlLibrary library = load();
  return library;
}

}  // namespace net
