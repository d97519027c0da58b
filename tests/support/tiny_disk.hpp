// A file system of 64 KiB that a test fills: tmpfs, in a mount namespace of its own where that is possible.
#pragma once

#include <array>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/temporary_directory.hpp"

namespace faultline::test {

/// Mounted by a child process, whose namespace goes with it; without a right to namespaces mounted plainly.
class tiny_disk {
 public:
  static constexpr std::size_t bytes = 64U << 10;

  /// Throws std::runtime_error where nothing may be mounted: there the promise cannot be shown.
  tiny_disk() {
    std::array<int, 2> told{};
    if (::pipe2(told.data(), O_CLOEXEC) != 0) throw std::runtime_error("tiny_disk: no pipe");
    const ::uid_t user = ::geteuid(); // as seen from outside the child's namespace
    const ::gid_t group = ::getegid();
    const ::pid_t parent = ::getpid();
    child_ = ::fork();
    if (child_ == 0) {
      (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      const char answer = mount_it(folder_.file("").c_str(), user, group);
      (void)!::write(told[1], &answer, 1);
      for (;;) ::pause();
    }
    (void)::close(told[1]);
    char answer = 0;
    (void)!::read(told[0], &answer, 1);
    (void)::close(told[0]);
    is_plain_ = answer == plain;
    if (answer != 0) {
      path_ = (answer == of_its_own ? "/proc/" + std::to_string(child_) + "/root" : "") + folder_.file("");
      return;
    }
    end_child();
    throw std::runtime_error(
        "tiny_disk: cannot mount a tmpfs. This test needs user namespaces, or root with "
        "CAP_SYS_ADMIN (in a container: --cap-add SYS_ADMIN, or user namespaces allowed)");
  }
  tiny_disk(const tiny_disk&) = delete;
  tiny_disk& operator=(const tiny_disk&) = delete;
  ~tiny_disk() {
    if (is_plain_) (void)::umount2(folder_.file("").c_str(), MNT_DETACH);
    end_child();
  }

  [[nodiscard]] const std::string& folder() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + name; }
  [[nodiscard]] std::size_t free_bytes() const { return std::filesystem::space(path_).available; }

  /// A file beside those of the test takes all room but so many bytes.
  void fill_up_to(std::size_t left) const {
    const int d = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::string page(4096, 'x');
    while (d >= 0 && free_bytes() > left && ::write(d, page.data(), page.size()) > 0) {
    }
    (void)::close(d);
  }
  void give_room() const { std::filesystem::remove(filler()); }

 private:
  static constexpr char of_its_own = 'n';
  static constexpr char plain = 'p';

  [[nodiscard]] std::string filler() const { return path_ + "filler"; }

  static void put(const char* path, const std::string& text) {
    if (const int d = ::open(path, O_WRONLY | O_CLOEXEC); d >= 0) {
      (void)!::write(d, text.data(), text.size());
      (void)::close(d);
    }
  }

  /// In the child. A user namespace maps the caller to itself, so that its files are its own.
  static char mount_it(const char* folder, ::uid_t user, ::gid_t group) {
    const auto mounts = [folder] { return ::mount("tmpfs", folder, "tmpfs", 0, "size=64k,mode=0700") == 0; };
    const auto own = [](::uid_t id) { return std::to_string(id) + ' ' + std::to_string(id) + " 1"; };
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
      put("/proc/self/setgroups", "deny");
      put("/proc/self/uid_map", own(user));
      put("/proc/self/gid_map", own(group));
      (void)::prctl(PR_SET_DUMPABLE, 1);   // or its parent, if that is not root, cannot look into /proc
      return mounts() ? of_its_own : '\0'; // in there nothing else can work
    }
    if (::unshare(CLONE_NEWNS) == 0) {
      (void)::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
      return mounts() ? of_its_own : '\0';
    }
    return mounts() ? plain : '\0';
  }

  void end_child() const {
    (void)::kill(child_, SIGKILL);
    (void)::waitpid(child_, nullptr, 0);
  }

  const temporary_directory folder_;
  ::pid_t child_ = -1;
  bool is_plain_ = false;
  std::string path_;
};

} // namespace faultline::test
