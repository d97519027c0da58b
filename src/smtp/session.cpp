#include "smtp/session.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

#include <poll.h>

#include <fmt/format.h>

#include "base/sigpipe_guard.hpp"
#include "smtp/fork_gate.hpp"
#include "smtp/mail_text.hpp"

namespace faultline::detail {
namespace {

/// How long a step waits for the answer to the one before, so that a server nearby needs one round of the
/// flusher and not one for each answer.
constexpr std::chrono::milliseconds short_wait(1);
/// For the answer to QUIT, which nothing depends on.
constexpr std::chrono::seconds goodbye_limit(1);
/// A reply beyond it is no reply. RFC 5321 section 4.5.3.1.5 allows lines of 512 octets.
constexpr std::size_t longest_reply = 16U << 10;
/// Written in one step: a large mail must not keep other handlers waiting.
constexpr std::size_t write_bytes = 64U << 10;

std::string url_of(const smtp_options& o) {
  const bool is_ipv6 = o.host.find(':') != std::string::npos;
  return (o.security == smtp_security::tls ? "smtps://" : "smtp://") +
         (is_ipv6 ? "[" + o.host + "]" : o.host) + ":" + std::to_string(o.port);
}

long milliseconds_of(std::chrono::nanoseconds t) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(t).count());
}

/// One line of printable ASCII.
std::string cleaned(std::string_view text) {
  constexpr std::size_t most = 200;
  std::string result(text.substr(0, most));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < 0x20 || c > 0x7E; }, ' ');
  result.erase(result.find_last_not_of(' ') + 1);
  return result;
}

/// The size of the whole reply that `input` begins with (RFC 5321 section 4.2.1), 0 where its end has not
/// come.
std::size_t whole_reply(std::string_view input) noexcept {
  std::size_t at = 0;
  while (true) {
    const std::size_t end = input.find('\n', at);
    if (end == std::string_view::npos) return 0;
    if (end - at < 4 || input[at + 3] != '-') return end + 1;
    at = end + 1;
  }
}

/// The reply's code, or 0 for what is none.
int code_of(std::string_view reply) noexcept {
  const auto digit = [reply](std::size_t i) { return reply[i] >= '0' && reply[i] <= '9'; };
  if (reply.size() < 4 || !digit(0) || !digit(1) || !digit(2)) return 0;
  return (reply[0] - '0') * 100 + (reply[1] - '0') * 10 + (reply[2] - '0');
}

bool is_good(int code) noexcept { return code / 100 == 2; }

/// Of a libcurl that was built without something, or a value that no libcurl takes: waiting does not help.
class refused_option : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

} // namespace

smtp_session::smtp_session(const smtp_options& options) : options_(options), url_(url_of(options)) {
  const fork_gate gate;
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (global != CURLE_OK) throw std::runtime_error("libcurl cannot be used");
  const curl_version_info_data& curl = *curl_version_info(CURLVERSION_NOW);
  if ((curl.features & CURL_VERSION_ASYNCHDNS) == 0)
    throw std::runtime_error("libcurl cannot be used: it waits while it looks up names (no AsynchDNS)");
  const std::string protocol = url_.substr(0, url_.find(':'));
  const char* const* known = curl.protocols;
  while (*known != nullptr && *known != protocol) ++known;
  if (*known == nullptr) throw std::runtime_error("libcurl cannot be used: it does not speak " + protocol);
  if (options.security != smtp_security::none && (curl.features & CURL_VERSION_SSL) == 0)
    throw std::runtime_error("libcurl cannot be used: it was built without TLS");
}

smtp_session::~smtp_session() { close(); }

void smtp_session::begin(std::string_view mail) {
  const sigpipe_guard guard;
  const fork_gate gate;
  failure_.clear();
  complaint_.clear();
  result_ = attempt::busy;
  data_ = as_data(mail);
  if (state_ == state::ready) return ask_sender();
  disconnect();
  try {
    connect();
  } catch (const refused_option& e) {
    break_off(e.what(), attempt::barred);
  } catch (const std::bad_alloc&) {
    break_off("no memory to connect");
  }
}

void smtp_session::connect() {
  line_ = &take_line();
  if ((line_->easy = curl_easy_init()) == nullptr) throw std::bad_alloc();
  state_ = state::connecting;
  deadline_ = clock::now() + options_.connect_limit;
  input_.clear();
  curl_error_[0] = '\0';
  set_up(line_->easy);
  curl_multi_add_handle(line_->multi, line_->easy);
}

void smtp_session::set_up(CURL* easy) {
  const auto check = [](CURLoption option, CURLcode result) {
    if (result == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    if (result != CURLE_OK)
      throw refused_option(
          fmt::format("libcurl refuses option {}: {}", static_cast<int>(option), curl_easy_strerror(result)));
  };
  const auto set = [easy, check](CURLoption option, auto value) {
    check(option, curl_easy_setopt(easy, option, value));
  };
  set(CURLOPT_URL, url_.c_str());
  set(CURLOPT_ERRORBUFFER, curl_error_.data());
  set(CURLOPT_CONNECT_ONLY, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, ""); // not by the environment
  set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds_of(options_.connect_limit));
  check(CURLOPT_OPENSOCKETFUNCTION, line_->sockets.watch(easy));
#if LIBCURL_VERSION_NUM >= 0x075700
  set(CURLOPT_QUICK_EXIT, 1L); // closing does not wait for a name that is being looked up
#endif
  if (!options_.user.empty()) {
    set(CURLOPT_USERNAME, options_.user.c_str());
    set(CURLOPT_PASSWORD, options_.password.c_str());
    // Not GSSAPI, which libcurl chooses for names with an @ where it can, and which waits for another server.
    set(CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
  }
  if (options_.security == smtp_security::none) return;
  set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, options_.verify ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, options_.verify ? 2L : 0L);
  if (!options_.ca_file.empty()) {
    set(CURLOPT_CAINFO, options_.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr)); // these and no others
    set(CURLOPT_CA_CACHE_TIMEOUT, 0L);                      // a file that was mended is read again
  }
}

attempt smtp_session::drive(clock::time_point until) {
  if (state_ != state::closed && state_ != state::ready) {
    const sigpipe_guard guard;
    const fork_gate gate;
    bool moving = false;
    while (state_ != state::closed && state_ != state::ready) {
      const clock::time_point now = clock::now();
      if (now >= deadline_) {
        break_off("no answer within the time limit");
        break;
      }
      if (!line_->sockets.are_ours()) {
        break_off("other code has closed the connection's descriptor");
        break;
      }
      const step s = go_on();
      if (s == step::ended) break;
      moving = s == step::went_on || (moving && await_server());
      if (!moving || now >= until) break;
    }
  }
  if (state_ == state::closed || state_ == state::ready) return std::exchange(result_, attempt::none);
  return state_ == state::quitting ? attempt::none : attempt::busy;
}

smtp_session::step smtp_session::go_on() {
  if (state_ == state::connecting) return go_on_connecting();
  if (written_ < output_.size()) return write_out();
  return read_reply();
}

smtp_session::step smtp_session::go_on_connecting() {
  const standard_streams_taken guard; // for what libcurl opens beside its sockets
  int ready = 0;
  curl_multi_wait(line_->multi, nullptr, 0, 0, &ready);
  int running = 0;
  if (curl_multi_perform(line_->multi, &running) != CURLM_OK) return break_off("libcurl failed");
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(line_->multi, &left);
  if (message == nullptr) return ready > 0 ? step::went_on : step::waits;
  const CURLcode result = message->data.result;
  if (result != CURLE_OK) {
    long code = 0;
    curl_easy_getinfo(line_->easy, CURLINFO_RESPONSE_CODE, &code);
    const bool for_good = (result == CURLE_LOGIN_DENIED && code / 100 != 4) ||
                          result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_USE_SSL_FAILED ||
                          result == CURLE_SSL_CACERT_BADFILE;
    return break_off(connect_failure(result), for_good ? attempt::barred : attempt::delayed);
  }
  ask_sender();
  return step::went_on;
}

/// Without the server's words: to a login it might answer with what it was told.
std::string smtp_session::connect_failure(CURLcode result) {
  if (result == CURLE_LOGIN_DENIED) {
    long code = 0;
    curl_easy_getinfo(line_->easy, CURLINFO_RESPONSE_CODE, &code);
    return "the login was refused (" + std::to_string(code) + ")";
  }
  return cleaned(curl_error_[0] != '\0' ? curl_error_.data() : curl_easy_strerror(result));
}

void smtp_session::ask(state next, std::string command) {
  state_ = next;
  output_ = std::move(command);
  written_ = 0;
}

void smtp_session::ask_sender() {
  deadline_ = clock::now() + options_.mail_limit;
  recipient_ = accepted_ = 0;
  postponed_ = false;
  ask(state::sender, "MAIL FROM:<" + options_.sender + ">\r\n");
}

smtp_session::step smtp_session::write_out() {
  std::size_t count = 0;
  const std::size_t most = std::min(output_.size() - written_, write_bytes);
  const CURLcode result = curl_easy_send(line_->easy, output_.data() + written_, most, &count);
  if (result == CURLE_AGAIN) return step::waits;
  if (result != CURLE_OK) return break_off("the connection broke");
  written_ += count;
  if (written_ == output_.size() && state_ == state::text) state_ = state::verdict;
  return step::went_on;
}

smtp_session::step smtp_session::read_reply() {
  if ((reply_bytes_ = whole_reply(input_)) == 0) {
    std::array<char, 2048> bytes; // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
    std::size_t count = 0;
    const CURLcode result = curl_easy_recv(line_->easy, bytes.data(), bytes.size(), &count);
    if (result == CURLE_AGAIN) return step::waits;
    if (result != CURLE_OK || count == 0) return break_off("the connection broke");
    if (input_.size() + count > longest_reply) return break_off("an answer without an end");
    input_.append(bytes.data(), count);
    return step::went_on;
  }
  code_ = code_of(input_);
  if (code_ < 200) return break_off("an answer that is none");
  if (code_ == 421) return break_off("the server closes: " + reply_text()); // RFC 5321 section 3.8
  const step s = take_reply();
  input_.erase(0, std::min(reply_bytes_, input_.size()));
  return s;
}

smtp_session::step smtp_session::take_reply() {
  switch (state_) {
  case state::sender:
    if (!is_good(code_)) return take_rejection("the sender");
    ask(state::recipient, "RCPT TO:<" + options_.recipients[0] + ">\r\n");
    return step::went_on;
  case state::recipient: return take_recipient_reply();
  case state::data:
    if (code_ != 354) return take_rejection("DATA");
    ask(state::text, std::move(data_));
    return step::went_on;
  case state::verdict:
    if (!is_good(code_)) return take_rejection("the mail");
    state_ = state::ready;
    result_ = attempt::sent;
    return step::ended;
  case state::resetting:
    state_ = state::ready;
    if (!is_good(code_)) disconnect();
    return step::ended;
  default: // quitting: whatever it says
    disconnect();
    return step::ended;
  }
}

smtp_session::step smtp_session::take_recipient_reply() {
  if (is_good(code_)) {
    ++accepted_;
  } else {
    postponed_ = postponed_ || code_ / 100 == 4;
    if (!complaint_.empty()) complaint_ += "; ";
    complaint_ += options_.recipients[recipient_] + " was refused: " + reply_text();
  }
  if (++recipient_ < options_.recipients.size()) {
    ask(state::recipient, "RCPT TO:<" + options_.recipients[recipient_] + ">\r\n");
    return step::went_on;
  }
  if (accepted_ > 0) {
    ask(state::data, "DATA\r\n");
    return step::went_on;
  }
  fail(postponed_ ? attempt::delayed : attempt::refused, "no recipient was accepted: " + complaint_);
  complaint_.clear();
  ask(state::resetting, "RSET\r\n");
  return step::went_on;
}

/// The failure is told when the connection is ready for another mail.
smtp_session::step smtp_session::take_rejection(std::string_view what) {
  const bool login_wanted =
      code_ == 530 || code_ == 534 || code_ == 535 || code_ == 538; // RFC 4954 section 6
  const attempt kind = login_wanted       ? attempt::barred
                       : code_ / 100 == 5 ? attempt::refused
                                          : attempt::delayed;
  fail(kind, std::string(what) + " was refused: " + reply_text());
  ask(state::resetting, "RSET\r\n");
  return step::went_on;
}

/// The last line of the reply at hand.
std::string smtp_session::reply_text() const {
  std::string_view reply = std::string_view(input_).substr(0, reply_bytes_);
  reply.remove_suffix(1);
  if (const std::size_t before = reply.rfind('\n'); before != std::string_view::npos)
    reply.remove_prefix(before + 1);
  if (!options_.password.empty() && reply.find(options_.password) != std::string_view::npos)
    return std::to_string(code_);
  return cleaned(reply);
}

smtp_session::step smtp_session::fail(attempt kind, std::string why) {
  if (result_ == attempt::busy) {
    result_ = kind;
    failure_ = std::move(why);
  }
  return step::ended;
}

smtp_session::step smtp_session::break_off(std::string why, attempt kind) {
  disconnect();
  return fail(kind, std::move(why));
}

void smtp_session::quit() {
  if (state_ != state::ready) return;
  deadline_ = clock::now() + goodbye_limit;
  ask(state::quitting, "QUIT\r\n");
}

void smtp_session::close() noexcept {
  const sigpipe_guard guard;
  const fork_gate gate;
  disconnect();
  result_ = attempt::none;
}

void smtp_session::disconnect() noexcept {
  state_ = state::closed;
  output_.clear();
  written_ = 0;
  if (line_ != nullptr) give_back(*std::exchange(line_, nullptr));
}

void smtp_session::abandon() noexcept {
  if (line_ != nullptr) line_->sockets.close();
}

/// Waits shortly; true when there is something to read, or room to write.
bool smtp_session::await_server() noexcept {
  constexpr int wait = short_wait.count();
  if (state_ == state::connecting) {
    int ready = 0;
    return curl_multi_wait(line_->multi, nullptr, 0, wait, &ready) == CURLM_OK && ready > 0;
  }
  curl_socket_t descriptor = CURL_SOCKET_BAD;
  if (curl_easy_getinfo(line_->easy, CURLINFO_ACTIVESOCKET, &descriptor) != CURLE_OK) return false;
  ::pollfd watched{};
  watched.fd = descriptor;
  watched.events = written_ < output_.size() ? POLLIN | POLLOUT : POLLIN;
  return ::poll(&watched, 1, wait) > 0;
}

} // namespace faultline::detail
