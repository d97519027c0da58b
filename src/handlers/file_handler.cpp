#include "handlers/file_handler.hpp"

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "format/escape.hpp"

namespace faultline {
namespace detail {
namespace {

std::string in_quotes(std::string_view text) {
  std::string result;
  append_quoted(text, result);
  return result;
}

[[noreturn]] void refuse(const std::string& path, int error, std::string_view reason) {
  std::string text = "cannot open " + in_quotes(path);
  if (!reason.empty()) {
    text += ": ";
    text += reason;
  }
  throw std::system_error(error, std::generic_category(), text);
}

std::string_view reason_for(int open_error) noexcept {
  switch (open_error) {
  case ELOOP: return "symbolic links are not followed";
  case ENXIO: return "a FIFO or a socket is no log file";
  default: return {};
  }
}

void check_file(const std::string& path, const struct ::stat& facts) {
  if (S_ISCHR(facts.st_mode)) return;
  if (!S_ISREG(facts.st_mode)) refuse(path, EINVAL, "neither a regular file nor a character device");
  if (facts.st_nlink > 1) refuse(path, EMLINK, "the file has another name (a hard link)");
  if (facts.st_uid != ::geteuid()) refuse(path, EPERM, "the file belongs to another user");
}

void check_options(std::string_view path, const file_options& options) {
  if (path.empty()) throw configuration_error("path", path, "it is empty");
  if (path.find('\0') != std::string_view::npos)
    throw configuration_error("path", path.substr(0, path.find('\0')), "a null character follows");
  if (options.mode > 07777U)
    throw configuration_error("mode", fmt::format("{:#o}", options.mode), "permission bits end at 07777");
  if (options.spool_bytes == 0) throw configuration_error("spool_bytes", "0", "at least one byte is needed");
}

/// Errors that end when there is space or a reader: worth waiting for.
bool is_temporary(int error) noexcept {
  return error == ENOSPC || error == EDQUOT || error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

} // namespace

own_descriptor open_log_file(const std::string& path, unsigned mode, bool empty_it,
                             const system_calls& calls) {
  // Not O_TRUNC: it would empty a file that the checks then refuse. O_NONBLOCK matters to FIFOs only.
  constexpr int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  int descriptor = -1;
  do descriptor = calls.open(path.c_str(), flags, static_cast<::mode_t>(mode));
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) refuse(path, errno, reason_for(errno));
  descriptor = above_standard_streams(descriptor);
  if (descriptor < 0) refuse(path, errno, "no number for it above those of the standard streams");
  struct ::stat facts {};
  if (calls.fstat(descriptor, &facts) != 0) {
    const int error = errno;
    (void)calls.close(descriptor);
    refuse(path, error, "no facts about the file");
  }
  descriptor_guard guard({descriptor, descriptor_identity(facts)}, calls);
  check_file(path, facts);
  if (empty_it && calls.ftruncate(descriptor, 0) != 0 && errno != EINVAL) // EINVAL: a device has no length
    refuse(path, errno, "cannot empty the file");
  return guard.release();
}

std::string absolute_path(std::string_view path) {
  std::error_code error;
  std::string result = std::filesystem::absolute(std::filesystem::path(path), error).string();
  if (error) refuse(std::string(path), error.value(), "it is relative, and there is no working directory");
  return result;
}

file_handler::checked_path file_handler::check(std::string_view path, const file_options& options) {
  check_options(path, options);
  return {absolute_path(path)};
}

file_handler::file_handler(std::string_view path, const file_options& options, const system_calls& calls,
                           std::size_t records_an_entry)
    : file_handler(check(path, options), options, calls, records_an_entry) {}

file_handler::file_handler(checked_path path, const file_options& options, const system_calls& calls,
                           std::size_t records_an_entry)
    : text_handler(in_quotes(path.text), options.spool_bytes, calls, records_an_entry),
      path_(std::move(path.text)), mode_(options.mode) {
  set_descriptor(open_log_file(path_, mode_, !options.append, calls));
}

file_handler::~file_handler() {
  finish();
  close_descriptor();
  next_.close(calls());
}

void file_handler::reopen() {
  const own_descriptor fresh = open_log_file(path_, mode_, false, calls());
  next_.close(calls());
  next_ = fresh;
  retry_now();
  // The old file is closed now where nothing is half written in it, not at the next record.
  if (text_spool().at_boundary()) write_to_next();
}

void file_handler::write_to_next() noexcept {
  close_descriptor();
  set_descriptor(std::exchange(next_, {}));
}

std::size_t file_handler::prepare_write(struct ::stat& facts) {
  spool& text = text_spool();
  if (next_.number < 0) return text.unwritten().size();
  if (!text.at_boundary()) {
    if (current_error() == 0 || is_temporary(current_error())) return text.front_bytes();
    // The old file will never take the rest of its entry, and the new one must not wait for it.
    report_dropped(text.drop_front());
  }
  write_to_next();
  return find_target(facts) ? text.unwritten().size() : 0;
}

bool file_handler::regain_target(struct ::stat& facts) {
  const own_descriptor lost = own();
  try {
    if (lost.number >= 0)
      notify({EBADF, name() + ": descriptor " + std::to_string(lost.number) +
                         " was closed or used for something else; the file is opened anew"});
    set_descriptor({-1, lost.identity}); // it is no longer ours to close
    if (!next_.is_open(calls())) next_ = open_log_file(path_, mode_, false, calls());
    if (calls().fstat(next_.number, &facts) != 0) detail::refuse(path_, errno, "no facts about the file");
    set_descriptor(std::exchange(next_, {}));
  } catch (const std::exception& e) {
    failure_report cause = failure_report::of(e);
    begin_failure(cause.error != 0 ? cause.error : ENOMEM, std::move(cause));
    return false;
  }
  if (!text_spool().at_boundary() && !(own().identity == lost.identity))
    report_dropped(text_spool().drop_front());
  return true;
}

} // namespace detail

handler_ptr make_file_handler(std::string_view path, file_options options) {
  return std::make_shared<detail::file_handler>(path, options, detail::real_system_calls());
}

} // namespace faultline
