#pragma once
// libcurl, loaded when the first call needs it: it brings thirty more libraries (TLS, LDAP, Kerberos, …), whose loading takes longer than most
// commands do, and most commands speak to nobody. Internal to the HTTP client.
#include <curl/curl.h>

namespace net {

// The functions that the client uses, each as curl/curl.h declares it.
struct CurlLibrary {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_global_cleanup) global_cleanup;
  decltype(&::curl_free) free;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
  decltype(&::curl_url) url;
  decltype(&::curl_url_cleanup) url_cleanup;
  decltype(&::curl_url_get) url_get;
  decltype(&::curl_url_set) url_set;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_pause) easy_pause;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_setopt) multi_setopt;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_multi_socket_action) multi_socket_action;
};

// Loads it at the first call and keeps it for good; any thread. Throws Broken where it is not installed or lacks a function.
const CurlLibrary& curl();

}  // namespace net
