#include <faultline/ostream.hpp>

#include <algorithm>
#include <cstring>

namespace faultline::detail {
namespace {

constinit site line_site{{unentered}, "{}", __FILE__, "log_ostream", "line", __LINE__, level::off};

void log_text(const node_head& node, site& where, level l, const text& line) noexcept {
  append(node.gate(l), where, level_at_run_time{bit_of(l)}, line);
}

} // namespace

stream_record::~stream_record() { log_text(node_, where_, level_, text_.written()); }

void line_buffer::log_line() noexcept {
  const node_head& node = logger_.node();
  if (size_ > 0 && level_ < level::off && is_on(node, level_))
    log_text(node, line_site, level_, {line_, size_});
  size_ = 0;
}

void line_buffer::take(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t size = std::min({end, text.size(), sizeof line_ - size_});
    std::memcpy(line_ + size_, text.data(), size);
    size_ += size;
    text.remove_prefix(size);
    const bool ends = text.starts_with('\n');
    if (ends) text.remove_prefix(1);
    if (ends || size_ == sizeof line_) log_line();
  }
}

line_buffer::int_type line_buffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char one = traits_type::to_char_type(c);
  const std::lock_guard lock(mutex_);
  take({&one, 1});
  return c;
}

std::streamsize line_buffer::xsputn(const char* s, std::streamsize n) {
  const std::lock_guard lock(mutex_);
  take({s, static_cast<std::size_t>(std::max<std::streamsize>(n, 0))});
  return n;
}

void line_buffer::finish() noexcept {
  const std::lock_guard lock(mutex_);
  log_line();
}

} // namespace faultline::detail
