// The handler that appends to a file and moves it aside in time.
//
//   PATH.rotating is made and locked ─► PATH.1 … move on by one ─► PATH becomes PATH.1
//     ─► PATH.rotating becomes PATH ─► text goes there ─► PATH.(keep + 1) is removed
//
// Where a step fails the descriptor is still the old file's and the text goes there; a process that ends
// between two steps leaves all files behind, and the next one goes on from any of these states.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include <faultline/handlers.hpp>

#include "base/system_calls.hpp"
#include "handlers/background_compressor.hpp"
#include "handlers/file_handler.hpp"
#include "handlers/rotated_files.hpp"

namespace faultline::detail {

class rotating_file_handler final : public file_handler {
 public:
  /// Pause after a rotation that failed; it doubles with each failure up to `longest_pause`.
  static constexpr std::chrono::nanoseconds first_pause = std::chrono::seconds(1);
  static constexpr std::chrono::nanoseconds longest_pause = std::chrono::minutes(1);
  /// Pause while another process rotates the same path.
  static constexpr std::chrono::nanoseconds other_process_pause = std::chrono::milliseconds(10);
  static constexpr std::size_t most_kept = 1000;

  /// Throws what file_handler throws, and `configuration_error` for the options of rotation.
  rotating_file_handler(std::string_view path, const rotating_file_options& options,
                        const system_calls& calls);
  ~rotating_file_handler() override;

  /// As text_handler::flush; throws, too, for each rotation and each compression that failed.
  void flush() override;
  /// As text_handler::last_flush; a rotation that failed is tried once more before.
  void last_flush(std::chrono::steady_clock::time_point until) override;
  [[nodiscard]] bool pending() const noexcept override;
  void after_fork() override;

  /// Rotations that failed since the handler was made, or since the fork that made its process. Any thread.
  [[nodiscard]] std::uint64_t failed_rotations() const noexcept {
    return failures_.load(std::memory_order_relaxed);
  }
  /// Whether nothing is left to compress. For tests.
  [[nodiscard]] bool is_compressed() const { return !state_->compressor || state_->compressor->is_idle(); }

 private:
  enum class outcome { rotated, other_process_rotates };
  /// What PATH is.
  enum class place {
    own,     ///< the file that is written to; or another program moved that away, and the next rotation makes
             ///< PATH anew
    deleted, ///< nothing, and the file has no other name: nobody will read it
    other, ///< another file: another process rotated, and what went to the old one now could be compressed or
           ///< removed under it
    link   ///< a symbolic link that was put in the place of the file, and is not followed
  };

  /// What a forked child must neither touch nor free.
  struct changing_state {
    std::string report;     ///< of a failure that flush has not told yet
    failure_report failure; ///< of the last attempt, if that failed
    std::chrono::nanoseconds retry_at{};
    std::chrono::nanoseconds pause = first_pause;
    descriptor_identity dated; ///< what `period` is about
    std::int64_t period = 0;   ///< in which the file was begun, counted in intervals since 1970
    bool can_follow = true;    ///< `retry_at` is not about opening what others made
    std::optional<std::chrono::nanoseconds> blocked_since; ///< since when another process has the lock
    bool surplus = false; ///< PATH.(keep + 1), if any, goes after the first write to PATH
    std::unique_ptr<background_compressor> compressor;
  };

  [[nodiscard]] std::size_t prepare_write(struct ::stat& facts) override;
  [[nodiscard]] bool is_due(const struct ::stat& facts, std::size_t bytes);
  [[nodiscard]] place look_at_place(const struct ::stat& facts) const;
  [[nodiscard]] std::int64_t period_of(std::chrono::system_clock::time_point t) const noexcept;
  void try_to_rotate(const struct ::stat& present, place found);
  [[nodiscard]] outcome rotate(const struct ::stat& present);
  void write_to(const own_descriptor& fresh) noexcept;
  void put_in_place(const struct ::stat& present, descriptor_guard& fresh);
  void move_aside();
  void remove_surplus();
  void keep_report(const std::exception& failure) noexcept;

  const rotating_file_options options_;
  ::pid_t owner_process_;
  const std::string rotating_; ///< the next file until it has its place, locked by who rotates
  rotated_files files_;
  std::atomic<std::uint64_t> failures_{0}; // relaxed: a counter
  std::unique_ptr<changing_state> state_ = std::make_unique<changing_state>();
};

} // namespace faultline::detail
