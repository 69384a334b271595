#include "net/http_client.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "aio/notifier.h"
#include "base/limits.h"
#include "base/text.h"
#include "net/http_client_loop.h"

namespace net {

namespace {

constexpr std::size_t kResponseHeaderBytesMax = 256 << 10;
constexpr long kKeepaliveIdleSeconds = 30;
constexpr long kKeepaliveIntervalSeconds = 15;

struct FreeUrl {
  void operator()(CURLU* url) const { curl().url_cleanup(url); }
};
struct FreeEasy {
  void operator()(CURL* easy) const { curl().easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};

std::string url_part(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl().url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl().free(text);
  return out;
}

// Where a URL leads, without the credentials or the query it may hold.
struct Origin {
  std::string scheme;
  std::string host;
  std::string text;  // for errors: "host:port"
};

std::optional<Origin> parse_origin(const std::string& text) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl().url());
  if (!url || curl().url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return std::nullopt;
  Origin origin;
  origin.scheme = url_part(url.get(), CURLUPART_SCHEME, 0);
  origin.host = url_part(url.get(), CURLUPART_HOST, 0);
  if (origin.scheme != "http" && origin.scheme != "https") return std::nullopt;
  origin.text = origin.host + ":" + url_part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  return origin;
}

// A model server on this machine is never reached through a proxy, whatever the environment says.
bool is_loopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || host.starts_with("127.");
}

bool sendable(const HttpHeader& header) {
  const auto bad = [](std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos; };
  return !header.name.empty() && !bad(header.name) && !bad(header.value);
}

base::Errc errc_of(CURLcode code) {
  // Only the few whose meaning for the caller differs are told apart. A switch over all of CURLcode would say less.
  if (code == CURLE_OPERATION_TIMEDOUT) return base::Errc::timed_out;
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM)
    return base::Errc::unavailable;
  return base::Errc::network;
}

// The certificate files of the environment: what the curl program honours, but libcurl by itself does not.
void use_environment_certificates(CURL* easy) {
  const auto set = [](const char* name) -> const char* {
    const char* value = std::getenv(name);
    return value && *value ? value : nullptr;
  };
  if (const auto* bundle = set("CURL_CA_BUNDLE")) {
    curl().easy_setopt(easy, CURLOPT_CAINFO, bundle);
    return;
  }
  if (const auto* directory = set("SSL_CERT_DIR")) curl().easy_setopt(easy, CURLOPT_CAPATH, directory);
  if (const auto* file = set("SSL_CERT_FILE")) curl().easy_setopt(easy, CURLOPT_CAINFO, file);
}

}  // namespace

std::optional<std::string_view> HttpHead::header(std::string_view lower_name) const {
  for (const auto& header : headers)
    if (header.name == lower_name) return header.value;
  return std::nullopt;
}

namespace {

class CurlExchange final : public HttpExchange, public CurlTransfer {
 public:
  CurlExchange(boost::asio::io_context& io, CurlLoop& loop, HttpCall call) : loop_(loop), call_(std::move(call)), changed_(io) {
    error_[0] = '\0';
    if (auto refused = prepare(); !refused) refused_ = std::move(refused.error());
  }

  ~CurlExchange() {
    if (started_) loop_.remove(easy_.get());
  }

  aio::Task<base::Result<HttpHead>> head() override {
    while (started_ && !head_complete_ && !finished_) co_await changed_.wait();
    if (!head_complete_) co_return std::unexpected(failure());
    co_return head_;
  }

  aio::Task<base::Result<std::string_view>> read() override {
    while (started_ && incoming_.empty() && !finished_) co_await changed_.wait();
    if (!incoming_.empty()) {
      taken_.clear();
      taken_.swap(incoming_);
      if (paused_) resume();
      co_return std::string_view(taken_);
    }
    if (!started_ || result_ != CURLE_OK) co_return std::unexpected(failure());
    co_return std::string_view();
  }

  void finished(CURLcode result) override {
    finished_ = true;
    result_ = result;
    changed_.notify_all();
  }

 private:
  base::Result<> prepare();
  base::Result<> set_headers();
  void set_request();
  void set_transport(const Origin& origin);
  base::Error failure() const;

  void resume() {
    paused_ = false;
    if (finished_) return;
    // Hands over at once what libcurl held back, through on_body.
    if (const auto code = curl().easy_pause(easy_.get(), CURLPAUSE_CONT); code != CURLE_OK) finished(code);
  }

  // Called by libcurl, through which no exception may pass.
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;
  bool header_line(std::string_view line);

  // Constant after construction.
  CurlLoop& loop_;
  HttpCall call_;
  std::string where_;  // host:port
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::unique_ptr<CURL, FreeEasy> easy_;
  std::optional<base::Error> refused_;  // why the transfer was not started
  bool started_ = false;

  // Io thread only.
  char error_[CURL_ERROR_SIZE];
  aio::Notifier changed_;
  HttpHead head_;
  std::size_t header_bytes_ = 0;
  bool head_complete_ = false;
  std::string incoming_;  // received, not yet taken; at most kResponseBufferBytesMax and one callback
  std::string taken_;     // what the last read gave away
  bool paused_ = false;
  bool finished_ = false;
  CURLcode result_ = CURLE_OK;
};

base::Result<> CurlExchange::prepare() {
  const auto origin = parse_origin(call_.url);
  if (!origin) return base::fail(base::Errc::invalid_argument, "the URL is not a valid http:// or https:// URL");
  where_ = origin->text;
  easy_.reset(curl().easy_init());
  if (!easy_) throw base::Broken("libcurl has no memory");
  if (auto set = set_headers(); !set) return set;
  set_request();
  set_transport(*origin);
  if (loop_.add(easy_.get()) != CURLM_OK) throw base::Broken("libcurl refused a transfer");
  started_ = true;
  return {};
}

base::Result<> CurlExchange::set_headers() {
  const auto append = [this](const std::string& line) {
    auto* grown = curl().slist_append(headers_.get(), line.c_str());
    if (!grown) throw base::Broken("libcurl has no memory");
    static_cast<void>(headers_.release());
    headers_.reset(grown);
  };
  for (const auto& header : call_.headers) {
    if (!sendable(header)) return base::fail(base::Errc::invalid_argument, "the value of a request header has a line break");
    append(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  append("Expect:");  // no round trip before a large body
  curl().easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
  return {};
}

void CurlExchange::set_request() {
  CURL* easy = easy_.get();
  curl().easy_setopt(easy, CURLOPT_URL, call_.url.c_str());
  curl().easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (call_.method == "POST" || !call_.body.empty()) {
    curl().easy_setopt(easy, CURLOPT_POST, 1L);
    curl().easy_setopt(easy, CURLOPT_POSTFIELDS, call_.body.data());
    curl().easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
  }
  if (call_.method == "HEAD") curl().easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (call_.method != "GET" && call_.method != "POST" && call_.method != "HEAD")
    curl().easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call_.method.c_str());
  curl().easy_setopt(easy, CURLOPT_USERAGENT, "outlast/" OUTLAST_VERSION);
  curl().easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  curl().easy_setopt(easy, CURLOPT_PRIVATE, static_cast<CurlTransfer*>(this));
  curl().easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlExchange::on_body);
  curl().easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl().easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlExchange::on_header);
  curl().easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl().easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl().easy_setopt(easy, CURLOPT_ERRORBUFFER, error_);
}

void CurlExchange::set_transport(const Origin& origin) {
  CURL* easy = easy_.get();
  curl().easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl().easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(call_.connect_ms));
  curl().easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl().easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, kKeepaliveIdleSeconds);
  curl().easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, kKeepaliveIntervalSeconds);
  // Giving up a transfer must not wait for the thread that resolves its host name.
  curl().easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  if (is_loopback(origin.host)) curl().easy_setopt(easy, CURLOPT_PROXY, "");
  use_environment_certificates(easy);
}

base::Error CurlExchange::failure() const {
  if (refused_) return *refused_;
  if (result_ == CURLE_OK) return {base::Errc::network, where_ + " closed the connection without an answer"};
  std::string cause = error_[0] ? error_ : curl().easy_strerror(result_);
  return {errc_of(result_), where_ + ": " + base::utf8_lossy(base::trim(cause))};
}

std::size_t CurlExchange::on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
  auto& exchange = *static_cast<CurlExchange*>(self);
  const auto total = size * count;
  if (!exchange.incoming_.empty() && exchange.incoming_.size() + total > base::limits::kResponseBufferBytesMax) {
    exchange.paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  exchange.incoming_.append(bytes, total);
  exchange.changed_.notify_all();
  return total;
}

std::size_t CurlExchange::on_header(char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
  auto& exchange = *static_cast<CurlExchange*>(self);
  const auto total = size * count;
  exchange.header_bytes_ += total;
  if (exchange.header_bytes_ > kResponseHeaderBytesMax) return 0;
  return exchange.header_line(base::trim({bytes, total})) ? total : 0;
}

// One line of the header section; informational answers (1xx) come before the final one, trailers after the body.
bool CurlExchange::header_line(std::string_view line) {
  if (head_complete_) return true;
  if (line.starts_with("HTTP/")) {
    const auto space = line.find(' ');
    const auto status = space == line.npos ? std::nullopt : base::parse_int(line.substr(space + 1, 3));
    if (!status) return false;
    head_ = {.status = static_cast<int>(*status), .headers = {}};
    return true;
  }
  if (line.empty()) {
    if (head_.status < 200) return true;
    head_complete_ = true;
    changed_.notify_all();
    return true;
  }
  if (const auto colon = line.find(':'); colon != line.npos)
    head_.headers.push_back({base::to_lower(base::trim(line.substr(0, colon))), std::string(base::trim(line.substr(colon + 1)))});
  return true;
}

}  // namespace

struct HttpClient::Impl {
  boost::asio::io_context& io;
  std::unique_ptr<CurlLoop> loop;  // made by the first call
};

HttpClient::HttpClient(boost::asio::io_context& io) : impl_(new Impl{.io = io, .loop = nullptr}) {}

HttpClient::~HttpClient() = default;

std::unique_ptr<HttpExchange> HttpClient::start(HttpCall call) {
  if (!impl_->loop) impl_->loop = std::make_unique<CurlLoop>(impl_->io);
  return std::make_unique<CurlExchange>(impl_->io, *impl_->loop, std::move(call));
}

}  // namespace net
