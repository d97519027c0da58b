#include "smtp/mail_group.hpp"

#include <algorithm>
#include <utility>

#include "smtp/mail_text.hpp"

namespace faultline::detail {

void mail_group::add(const batch& records, const formatter& text, const formatter& subject,
                     std::chrono::nanoseconds now) {
  if (records.empty()) return;
  std::string subject_after = subject_;
  const auto gravest = std::max_element(records.begin(), records.end(),
                                        [](const auto& a, const auto& b) { return a.level < b.level; });
  if (empty() || gravest->level > gravest_) {
    std::string line;
    subject.format(batch({&*gravest, 1}), line);
    subject_after = clean_subject(line);
  }
  const std::size_t before = text_.size();
  try {
    text.format(records, text_);
  } catch (...) {
    text_.resize(before);
    throw;
  }
  text_before_ = before;
  records_before_ = records_;
  gravest_before_ = gravest_;
  subject_before_ = std::exchange(subject_, std::move(subject_after));
  if (empty()) begin_ = now;
  gravest_ = empty() ? gravest->level : std::max(gravest_, gravest->level);
  records_ += records.size();
}

void mail_group::undo() noexcept {
  text_.resize(text_before_);
  records_ = records_before_;
  gravest_ = gravest_before_;
  subject_.swap(subject_before_);
}

void mail_group::clear() noexcept {
  text_.clear();
  subject_.clear();
  records_ = 0;
  gravest_ = level::trace;
}

} // namespace faultline::detail
