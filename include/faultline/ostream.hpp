// Records written with operator<<, and a std::ostream whose lines become records.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <streambuf>
#include <string_view>

#include <faultline/export.hpp>
#include <faultline/log.hpp>

// A program's own globals may have the names of parameters here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace faultline {
namespace detail {

inline constexpr std::size_t stream_bytes = 1024;

/// Keeps the first bytes written to it, and that there were more.
class bounded_text final : public std::streambuf {
 public:
  bounded_text() noexcept { setp(text_, text_ + sizeof text_); }
  /// What was written but for one line end at its end, marked where it was cut.
  [[nodiscard]] text written() const noexcept {
    auto size = static_cast<std::size_t>(pptr() - pbase());
    if (!full_ && size > 0 && text_[size - 1] == '\n') --size;
    return {text_, cut_ ? size | cut_before : size};
  }

 protected:
  int_type overflow(int_type c) override {
    if (!traits_type::eq_int_type(c, traits_type::eof())) {
      cut_ = full_ || c != '\n'; // a line end that is the last is no loss
      full_ = true;
    }
    return traits_type::not_eof(c); // as if it had been taken: the rest of the line goes on
  }

 private:
  char text_[stream_bytes]; // not initialised: `pptr` says how far it is written
  bool full_ = false;       // more was written than there is room for
  bool cut_ = false;        // and more than a line end
};

/// One record of FAULTLINE_STREAM; its destructor logs it.
class FAULTLINE_API stream_record {
 public:
  stream_record(const node_head& node, site& where, level l) noexcept
      : node_(node), where_(where), level_(l) {}
  stream_record(const stream_record&) = delete;
  stream_record& operator=(const stream_record&) = delete;
  ~stream_record();

  std::ostream& stream() noexcept { return stream_; }

 private:
  const node_head& node_;
  site& where_;
  level level_;
  bounded_text text_;
  std::ostream stream_{&text_};
};

} // namespace detail

/// `FAULTLINE_STREAM(lg, faultline::level::info) << "took " << t << " ms";`: one record with that text, cut
/// at 1,024 bytes and at runtime_options::argument_bytes, without the line end at its end (`<< std::endl`),
/// one at most. For types that only operator<< can write, and for
/// code that is being moved: the text is made at the call, and making a stream takes a third of a
/// microsecond, allocates nothing itself and may take the locale's lock. If the logger's level is off
/// nothing behind it is evaluated. Logger and level are evaluated once; levels below FAULTLINE_ACTIVE_LEVEL
/// make no record. What operator<< throws leaves the statement as from any stream; what was written by then
/// is logged.
#define FAULTLINE_STREAM(lg, l) FAULTLINE_DETAIL_NUMBERED_STREAM(__COUNTER__, (lg), (l))
#define FAULTLINE_DETAIL_NUMBERED_STREAM(...) FAULTLINE_DETAIL_STREAM_OF_NUMBER(__VA_ARGS__)
#define FAULTLINE_DETAIL_STREAM_OF_NUMBER(n, lg, l)                                                          \
  for (::faultline::detail::stream_choice faultline_##n(lg, l, FAULTLINE_ACTIVE_LEVEL);                      \
       faultline_##n.chosen();)                                                                              \
    for (FAULTLINE_DETAIL_FUNCTION(n); faultline_##n.chosen(); faultline_##n.finish())                       \
  ::faultline::detail::stream_record(                                                                        \
      faultline_##n.node(), FAULTLINE_DETAIL_SITE(n, "{}", "", ::faultline::level::off), faultline_##n.at()) \
      .stream()

namespace detail {

/// Whether there is a record, asked once. The macro loops over it: an `if` in its place would ask for braces
/// around it in an `if` of the user's.
class stream_choice {
 public:
  stream_choice(logger lg, level l, int floor) noexcept
      : node_(lg.node()), level_(l), chosen_(compiled_in(l, floor) && is_on(node_, l) && l < level::off) {}
  [[nodiscard]] bool chosen() const noexcept { return chosen_; }
  /// The record is made.
  void finish() noexcept { chosen_ = false; }
  [[nodiscard]] const node_head& node() const noexcept { return node_; }
  [[nodiscard]] level at() const noexcept { return level_; }

 private:
  const node_head& node_;
  level level_;
  bool chosen_;
};

/// A lock that is free in a forked child, whichever thread of the parent held it.
class stream_lock {
 public:
  /// Waits for it. True when this process never held it: what it guards is nobody's, or was the parent's.
  bool lock() noexcept;
  void unlock() noexcept;

 private:
  /// Twice the number of the fork in which it was held last, and one more while it is held. Acquire to take,
  /// release to give: what was done under it is seen by the next holder.
  std::atomic<std::uint32_t> word_{0};
};

/// Makes a record of each line.
class FAULTLINE_API line_buffer final : public std::streambuf {
 public:
  line_buffer(logger lg, level l) noexcept : logger_(lg), level_(l) {}
  /// Logs a line that was not ended.
  void finish() noexcept;

 protected:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* s, std::streamsize n) override;

 private:
  void take(std::string_view text) noexcept;
  void log_line(std::size_t size) noexcept; // what is begun, up to there; under the lock

  stream_lock lock_; // there is no put area, so that threads may write to the stream at once
  logger logger_;
  level level_;
  std::size_t size_ = 0;
  char line_[stream_bytes];
};

} // namespace detail

/// A stream whose lines become records of one logger and level: for libraries that write to a std::ostream,
/// and for std::cout itself (`std::cout.rdbuf(stream.rdbuf())`, and back before `stream` goes). A line ends
/// with '\n' or when the stream is destroyed; flushing ends none. One longer than 1,024 bytes goes on in the
/// next record, from where a character begins. Empty lines make no record. Records are made on the thread
/// that ends the line.
///
/// Threads may share its buffer: what one call of it writes is taken whole, under a lock. They may share the
/// stream itself for unformatted output (write, put) only, for operator<< changes its state, as of any stream
/// but std::cout and its like; otherwise give each thread a stream of its own. In a forked child the lock is
/// free and no line is begun: a line that the parent began is the parent's.
class log_ostream final : public std::ostream {
 public:
  /// Records go to `lg` at level `l`.
  log_ostream(logger lg, level l) : std::ostream(nullptr), lines_(lg, l) { rdbuf(&lines_); }
  log_ostream(const log_ostream&) = delete;
  log_ostream& operator=(const log_ostream&) = delete;
  ~log_ostream() override { lines_.finish(); }

 private:
  detail::line_buffer lines_;
};

} // namespace faultline

#pragma GCC diagnostic pop
