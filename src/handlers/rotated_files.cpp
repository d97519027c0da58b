#include "handlers/rotated_files.hpp"

#include <cerrno>
#include <system_error>

#include "format/escape.hpp"

namespace faultline::detail {

void throw_file_error(int error, const char* what, const std::string& path) {
  std::string text = what;
  text += ' ';
  append_quoted(path, text);
  throw std::system_error(error, std::generic_category(), text);
}

bool rotated_files::look_at(const std::string& name, struct ::stat& facts) const {
  if (calls_.lstat(name.c_str(), &facts) == 0) return true;
  if (errno != ENOENT) throw_file_error(errno, "cannot rotate: no facts about", name);
  return false;
}

bool rotated_files::exists(const std::string& name) const {
  struct ::stat facts {};
  return look_at(name, facts);
}

void rotated_files::move(const std::string& from, const std::string& to) const {
  if (exists(from) && calls_.rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT)
    throw_file_error(errno, "cannot rotate: cannot rename", from);
}

std::size_t rotated_files::shift() {
  std::size_t gap = 1;
  while (gap <= keep_ && (exists(plain(gap)) || exists(compressed(gap)))) ++gap;
  for (std::size_t i = gap - 1; i > 0; --i) {
    move(plain(i), plain(i + 1));
    move(compressed(i), compressed(i + 1));
  }
  return gap - 1;
}

void rotated_files::remove_surplus() {
  for (const std::string& name : {plain(keep_ + 1), compressed(keep_ + 1)})
    if (calls_.unlink(name.c_str()) != 0 && errno != ENOENT)
      throw_file_error(errno, "cannot remove the old", name);
}

std::size_t rotated_files::first_plain() const {
  for (std::size_t i = 1; i <= keep_; ++i) {
    struct ::stat facts {};
    if (look_at(plain(i), facts) && S_ISREG(facts.st_mode)) return i;
  }
  return 0;
}

} // namespace faultline::detail
