// Compresses what rotations leave behind, on a thread of its own.
//
//   names_mutex:       who holds it may rename PATH.1 …: the flusher for a rotation, the thread to choose a
//                      file and to put the finished one in its place. Nobody holds it while a file is read,
//                      written or emptied.
//   PATH.rotating:     who has this file locked keeps other processes' handlers from renaming meanwhile.
//   PATH.compressing:  locked by the one process that compresses.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <sys/stat.h>

#include "base/system_calls.hpp"
#include "handlers/file_handler.hpp"
#include "handlers/rotated_files.hpp"

namespace faultline::detail {

/// PATH.i becomes PATH.i.zst by way of PATH.compressing: the plain file is removed when the compressed one is
/// whole, on disk and has its name. A failure is kept for the flusher to report; the file stays plain and is
/// tried again after a pause. The flusher's thread calls the public functions.
class background_compressor {
 public:
  /// Starts nothing yet. `files` and `calls` must outlive it.
  background_compressor(const rotated_files& files, unsigned mode, const system_calls& calls)
      : files_(files), partial_(files.path() + ".compressing"), rotating_(files.path() + ".rotating"),
        mode_(mode), calls_(calls) {}
  /// Waits for the thread, which gives up within a slice, though not while the disk is given what a large
  /// file has become. In a forked child it must not be destroyed: the thread and who holds the mutex are the
  /// parent's.
  ~background_compressor();
  background_compressor(const background_compressor&) = delete;
  background_compressor& operator=(const background_compressor&) = delete;

  /// Held during a rotation; nobody holds it for longer than some renames take, though the thread does them
  /// at a low priority.
  [[nodiscard]] std::mutex& names_mutex() noexcept { return names_mutex_; }

  /// With the mutex held: the indexes up to `moved` went up by one.
  void note_shift(std::size_t moved) noexcept {
    if (job_ != 0 && job_ <= moved) ++job_;
  }

  /// With the mutex held: there is work. The first call starts the thread.
  void wake();

  /// What failed since the last call, empty for nothing. Does not wait for the mutex: a later call tells.
  [[nodiscard]] std::string take_error();

  /// True where nothing is left to compress at the moment. For tests.
  [[nodiscard]] bool is_idle();

 private:
  struct open_files {
    explicit open_files(const system_calls& calls) : from({}, calls), to({}, calls) {}
    void close() {
      from.reset({});
      to.reset({});
    }

    descriptor_guard from;
    descriptor_guard to; ///< PATH.compressing
  };

  /// PATH.compressing while this process has it locked: removed unless it got its name.
  class own_partial {
   public:
    explicit own_partial(const background_compressor& owner) noexcept : owner_(owner) {}
    ~own_partial() {
      if (!has_its_name_) (void)owner_.calls_.unlink(owner_.partial_.c_str());
    }
    own_partial(const own_partial&) = delete;
    own_partial& operator=(const own_partial&) = delete;
    void has_its_name() noexcept { has_its_name_ = true; }

   private:
    const background_compressor& owner_;
    bool has_its_name_ = false;
  };

  enum class placing { done, others_rotate, has_grown };

  void run() noexcept;
  void keep_error(const char* what) noexcept;
  /// The pause before there is more to do: none, or another process is at it, has just renamed or still
  /// writes. The files are the caller's to close.
  [[nodiscard]] std::chrono::milliseconds compress_next(open_files& files,
                                                        std::unique_lock<std::mutex>& names);
  void check_that_other_goes_on(const own_descriptor& file);
  /// `bytes`: of the plain file that were compressed. Done: or it has moved on, and is to be done anew.
  [[nodiscard]] placing wait_to_put_in_place(const struct ::stat& source, std::uint64_t bytes,
                                             own_partial& partial, std::unique_lock<std::mutex>& names);
  [[nodiscard]] placing put_in_place(const struct ::stat& source, std::uint64_t bytes, own_partial& partial);
  [[nodiscard]] placing put_in_place_locked(const struct ::stat& source, std::uint64_t bytes,
                                            own_partial& partial);
  [[nodiscard]] bool lock(const own_descriptor& file, const std::string& name) const;

  const rotated_files& files_;
  const std::string partial_;
  const std::string rotating_;
  const unsigned mode_;
  const system_calls& calls_;
  std::mutex names_mutex_;
  std::condition_variable work_;
  bool awake_ = false;  ///< there may be work; under the mutex
  bool idle_ = true;    ///< the thread has nothing to do; under the mutex
  std::size_t job_ = 0; ///< the present index of the file in work, 0 for none; under the mutex
  std::string error_;   ///< under the mutex
  std::chrono::milliseconds growing_pause_{}; ///< before the next look at a file that grows; the thread's
  struct ::stat other_ {}; ///< the file that another process had locked, as it was at `other_since_`
  std::optional<std::chrono::nanoseconds> other_since_; ///< both the thread's
  /// Set under the mutex for those who wait; read relaxed between slices, where it orders nothing else.
  std::atomic<bool> cancelled_{false};
  std::thread thread_;
};

} // namespace faultline::detail
