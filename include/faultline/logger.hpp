// Loggers: dotted names with levels and handlers that descendants inherit.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <faultline/detail/node.hpp>
#include <faultline/export.hpp>
#include <faultline/level.hpp>

namespace faultline {

class handler;
class runtime;
namespace detail {
struct node;
}

/// A named place in a runtime's tree of loggers: a pointer, cheap to copy, valid as long as its runtime. All
/// functions may be called by any thread while others log; those that change something take a lock that no
/// logging thread takes, and are seen by other threads within nanoseconds. They are const, as what they
/// change is the place and not the pointer.
///
/// A logger at namespace scope that is used before it was made, by a static object of another file, is off:
/// no statement makes a record, a scope holds nothing, and what would change something throws
/// `configuration_error`. A copy made of it then stays so.
class FAULTLINE_API logger {
 public:
  /// The dotted name; "root" for the root; empty before the logger is made.
  [[nodiscard]] std::string_view name() const noexcept;

  /// Records below `l` do not exist for this logger and for descendants without a level of their own. `off`
  /// silences it.
  void set_level(level l) const;
  /// Takes the level of the nearest ancestor that has one of its own. The root falls back to `debug`, its
  /// initial level.
  void inherit_level() const;
  /// The logger's own level or the inherited one. One relaxed load.
  [[nodiscard]] level effective_level() const noexcept {
    return node().threshold.load(std::memory_order_relaxed);
  }

  /// Scopes of this logger, and of descendants without a flush level of their own, that are entered from now
  /// on with scope_options::flush_level at its default are tripped by records at `l` and above; `off`: by
  /// none.
  void set_flush_level(level l) const;
  /// Takes the flush level of the nearest ancestor that has one of its own. The root falls back to `error`,
  /// its initial one.
  void inherit_flush_level() const;

  /// Whether a statement at `l` makes a record now. One relaxed load.
  [[nodiscard]] bool enabled(level l) const noexcept {
    return l >= node().threshold.load(std::memory_order_relaxed) && l != level::off;
  }

  /// Records of this logger and its descendants at the handler's level or above go to the handler from now
  /// on, by the pass path. Adding it again changes nothing. Throws `configuration_error` for null. Any
  /// thread; takes a lock.
  void add_handler(const std::shared_ptr<handler>& h) const;
  /// Stops that; records logged before are still written. A handler that is not attached is ignored. As
  /// add_handler otherwise.
  void remove_handler(const std::shared_ptr<handler>& h) const;

  /// false: records of this logger and its descendants do not reach handlers and scopes of its ancestors.
  /// Those that are held, or on their way to the flusher, are judged by the present setting: call it before
  /// the logger is used. Any thread; takes a lock.
  void set_propagate(bool propagate) const;

  /// Whether both are the same place of the same runtime.
  friend bool operator==(logger, logger) = default;

  /// For faultline's own use.
  [[nodiscard]] const detail::node_head& node() const noexcept { return *at(); }
  /// For faultline's own use: the whole of it; throws `configuration_error` before the logger is made.
  [[nodiscard]] detail::node& made() const;
  /// For faultline's own use: get_logger makes loggers.
  explicit logger(detail::node_head& node) noexcept
      : distance_(address(node) - address(detail::unmade_node)) {}

 private:
  static std::intptr_t address(const detail::node_head& node) noexcept {
    return reinterpret_cast<std::intptr_t>(&node);
  }
  [[nodiscard]] detail::node_head* at() const noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a distance between two objects is none of pointers
    return reinterpret_cast<detail::node_head*>(address(detail::unmade_node) + distance_);
  }

  std::intptr_t distance_; // of its node from detail::unmade_node
};

/// The default runtime's logger of that name; see runtime::get_logger. Starts nothing.
[[nodiscard]] FAULTLINE_API logger get_logger(std::string_view dotted_name = {});

} // namespace faultline
