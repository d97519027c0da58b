// The tree of loggers of one runtime.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <faultline/detail/node.hpp>

#include "base/mapping.hpp"

namespace faultline {
class handler;
}

namespace faultline::detail {

struct core;

/// A handler's stay at a logger, in ticks. Which handlers the pass path serves follows from the record's time
/// alone, so that the flusher's answer for an outbox entry and for the same record in a later dump are one.
struct attachment {
  handler* target;
  level threshold; ///< the handler's, for the time of the stay: a change ends one stay and begins another
  std::uint64_t since;
  std::uint64_t until;
};
using attachment_list = std::vector<attachment>;

struct node : node_head {
  std::string name;
  node* parent = nullptr;
  unsigned depth = 0;
  std::optional<level> own_level;
  std::optional<level> own_flush_level;
  /// Relaxed: like a level, see node_head.
  std::atomic<bool> propagate{true};
  /// The present list, replaced as a whole and kept until the registry goes. Release by whoever changes it,
  /// acquire by the flusher.
  std::atomic<const attachment_list*> attachments{nullptr};

  /// The next logger to which its records go, or null.
  [[nodiscard]] const node* up() const noexcept {
    return propagate.load(std::memory_order_relaxed) ? parent : nullptr;
  }
  /// Whether this logger's records reach `scope_logger`.
  [[nodiscard]] bool reaches(const node_head& scope_logger) const noexcept {
    for (const node* n = this; n != nullptr; n = n->up())
      if (n == &scope_logger) return true;
    return false;
  }
};

/// One lock for the trees of all runtimes, held across fork by an atfork handler so that the child finds them
/// whole.
[[nodiscard]] std::mutex& configuration_mutex();

/// Throws `configuration_error` for what is no name of a logger below the root.
void check_logger_name(std::string_view name);

class registry {
 public:
  explicit registry(const core& owner);
  ~registry();
  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;

  /// Throws `configuration_error` for a name that is none.
  node& get(std::string_view dotted_name);
  [[nodiscard]] node& root() noexcept { return *root_; }

  void set_level(node& n, std::optional<level> own);
  void set_flush_level(node& n, std::optional<level> own);
  void set_propagate(node& n, bool propagate);
  void attach(node& n, handler& target);
  void detach(node& n, handler& target);

  /// The node of that id, or null. Any thread, no lock.
  [[nodiscard]] const node* find(std::uint32_t id) const noexcept {
    if (id == 0 || id >= most_loggers) return nullptr;
    return reinterpret_cast<const id_cell*>(by_id_.data())[id].load(std::memory_order_acquire);
  }

  static constexpr std::size_t most_loggers = std::size_t{1} << 20;

 private:
  using id_cell = std::atomic<const node*>;

  node& make(std::string name, node* parent);
  void publish(node& n, attachment_list changed);
  [[nodiscard]] std::uint64_t boundary() const noexcept;
  void refresh() noexcept;
  static void refresh(node& n) noexcept;
  std::uint64_t change_level(handler& h); // when it takes effect
  static void change_level_everywhere(handler& h);

  const core& owner_;
  std::map<std::string, node*, std::less<>> by_name_;
  std::vector<std::unique_ptr<node>> nodes_; // parents before their children
  std::vector<std::unique_ptr<attachment_list>> lists_;
  mapping by_id_;
  node* root_ = nullptr;
};

} // namespace faultline::detail
