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

/// Throws `configuration_error` for what is no logger's name: an empty part, a control character, more than
/// 255 bytes. That the empty name is the root's is for the caller to know.
void check_logger_name(std::string_view name);

/// A handler's stay at a logger, in versions of the registry. Which handlers the pass path serves follows
/// from the version that the thread read, whatever the clocks do, so that the thread's answer for the record
/// that it holds and the flusher's for the outbox entry are one.
struct attachment {
  static constexpr std::uint32_t no_end = UINT32_MAX;

  handler* target;
  level threshold; ///< the handler's, for the time of the stay: a change ends one stay and begins another
  std::uint32_t since;
  std::uint32_t until; ///< the first version without it

  [[nodiscard]] bool holds(std::uint32_t version) const noexcept {
    return since <= version && version < until;
  }
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
  /// acquire by whoever reads it.
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

/// Calls `use` with each stay that could concern a record of the logger. Any thread, no lock.
template <class Use> void for_each_stay(const node& logger, Use&& use) {
  for (const node* n = &logger; n != nullptr; n = n->up())
    if (const attachment_list* list = n->attachments.load(std::memory_order_acquire))
      for (const attachment& a : *list) use(a);
}

/// Whether the pass path gives the handler such a record of the logger, logged at that version.
[[nodiscard]] bool serves(const node& logger, const handler* target, level l, std::uint32_t version) noexcept;

/// One lock for the trees of all runtimes, held across fork by an atfork handler so that the child finds them
/// whole.
[[nodiscard]] std::mutex& configuration_mutex();

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

  /// Counts the changes of attachments. Whoever reads it sees the lists of that version, or later ones, which
  /// say the same of it. Any thread, no lock.
  [[nodiscard]] std::uint32_t version() const noexcept { return version_.load(std::memory_order_acquire); }

  static constexpr std::size_t most_loggers = std::size_t{1} << 20;

 private:
  using id_cell = std::atomic<const node*>;

  node& make(std::string name, node* parent);
  void publish(node& n, attachment_list changed);
  [[nodiscard]] std::uint32_t next_version() const noexcept {
    return version_.load(std::memory_order_relaxed) + 1; // only whoever has the lock changes it
  }
  void refresh() noexcept;
  static void refresh(node& n) noexcept;
  void begin_version() noexcept;
  void change_level(handler& h);
  static void change_level_everywhere(handler& h);

  const core& owner_;
  /// Release, after the lists of that version; acquire by threads that pass a record.
  std::atomic<std::uint32_t> version_{0};
  std::map<std::string, node*, std::less<>> by_name_;
  std::vector<std::unique_ptr<node>> nodes_; // parents before their children
  std::vector<std::unique_ptr<attachment_list>> lists_;
  mapping by_id_;
  node* root_ = nullptr;
};

} // namespace faultline::detail
