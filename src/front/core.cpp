#include "front/core.hpp"

#include <mutex>
#include <new>
#include <utility>

#include <pthread.h>

#include <faultline/detail/statement.hpp>

#include "base/fork_guard.hpp"
#include "base/test_point.hpp"
#include "front/trip.hpp"
#include "handlers/handler_access.hpp"
#include "record/dictionary.hpp"
#include "record/thread_names.hpp"

namespace faultline::detail {

constinit cursor closed_cursor;
constinit thread_local cursor* current_cursor = &closed_cursor;

namespace {

/// Stands for "this thread is attaching", so that a signal handler that logs meanwhile does not attach it
/// again.
constinit cursor attaching_cursor;
/// Stands for "this thread is the flusher".
constinit cursor barred_cursor;

/// Leads from a thread to its slots, by `thread_slot::next_of_thread`. A key and not a second thread_local,
/// because its destructor runs after those of all C++ thread-locals, which may log, and pins no shared
/// object.
class slots_of_thread {
 public:
  /// Null in a forked child for a thread that still has the parent's slots: the whole list is of one
  /// generation's time.
  static thread_slot* first() noexcept {
    auto* slot = static_cast<thread_slot*>(pthread_getspecific(key()));
    const fork_guard& guard = fork_guard::instance();
    return slot != nullptr && guard.alive() && slot->home->epoch == guard.epoch() ? slot : nullptr;
  }
  static void set_first(thread_slot* slot) {
    if (pthread_setspecific(key(), slot) != 0) throw std::bad_alloc();
  }
  static void make_key() { (void)key(); }

 private:
  static pthread_key_t key() {
    static const pthread_key_t made = [] {
      pthread_key_t k{};
      if (pthread_key_create(&k, &end_of_thread) != 0) throw std::bad_alloc();
      return k;
    }();
    return made;
  }

  static void end_of_thread(void* list) noexcept {
    const fork_guard& guard = fork_guard::instance();
    current_cursor = &closed_cursor;
    auto* slot = static_cast<thread_slot*>(list);
    if (!guard.alive() || slot->home->epoch != guard.epoch()) return; // in a forked child: the parent's slots
    while (slot != nullptr) {
      thread_slot* next = slot->next_of_thread;
      core& owner = slot->home->owner;
      slot->detach();
      owner.release();
      slot = next;
    }
  }
};

} // namespace

generation::~generation() {
  for (thread_slot* slot = slots.load(std::memory_order_acquire); slot != nullptr;) {
    thread_slot* next = slot->next;
    thread_slot::destroy(slot);
    slot = next;
  }
}

bool storm_board::suppress_on_board(std::uint32_t site) noexcept {
  for (storm& s : storms_) {
    if (s.site.load(std::memory_order_relaxed) != site) continue;
    test_point(race_point::storm_found);
    s.suppressed.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

bool storm_board::add(std::uint32_t site) noexcept {
  for (storm& s : storms_) {
    if (s.site.load(std::memory_order_relaxed) != 0) continue;
    if (is_planted(planted_fault::late_context_is_dropped)) s.suppressed.store(0, std::memory_order_relaxed);
    s.site.store(site, std::memory_order_relaxed);
    any_.store(true, std::memory_order_relaxed);
    return true;
  }
  return false;
}

std::uint64_t storm_board::remove(std::uint32_t site) noexcept {
  std::uint64_t suppressed = 0;
  bool others = false;
  for (storm& s : storms_) {
    const std::uint32_t there = s.site.load(std::memory_order_relaxed);
    if (there == site) {
      s.site.store(0, std::memory_order_relaxed);
      suppressed = s.suppressed.exchange(0, std::memory_order_relaxed);
    } else if (there != 0) {
      others = true;
    }
  }
  any_.store(others, std::memory_order_relaxed);
  return suppressed;
}

thread_slot& generation::attach_thread(const slot_geometry& geometry) {
  for (thread_slot* slot = slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next)
    if (&slot->geometry() == &geometry && slot->try_attach()) return *slot;
  const std::lock_guard lock(slots_mutex);
  thread_slot* slot = thread_slot::make(*this, geometry);
  slot->owner = &owner;
  try {
    slot->producer = queue.make_producer(geometry.buffers);
  } catch (...) {
    thread_slot::destroy(slot);
    throw;
  }
  (void)slot->try_attach();
  thread_slot* const successor = slots.load(std::memory_order_relaxed);
  if (is_planted(planted_fault::slot_before_its_successor)) slots.store(slot, std::memory_order_release);
  test_point(race_point::slot_made);
  slot->next = successor;
  slots.store(slot, std::memory_order_release);
  return *slot;
}

core::core(const slot_geometry& sizes)
    : ns_per_tick(early_nanoseconds_per_tick(sizes.clock)), loggers(*this) {
  set_geometry(sizes);
  // Made here, so that no statement has to.
  (void)fork_guard::instance();
  (void)dictionary::instance();
  (void)thread_names::instance();
  slots_of_thread::make_key();
  fork_guard::in_child = []() noexcept {
    current_cursor->open.store(nullptr, std::memory_order_relaxed);
    current_cursor = &closed_cursor;
  };
}

core::~core() = default;

void core::set_geometry(const slot_geometry& sizes) {
  if (!geometries_.empty() && sizes == geometries_.front()) return;
  geometries_.push_front(sizes);
  geometry_.store(&geometries_.front(), std::memory_order_release);
}

void core::set_default_target(handler& target, bool succeeds) noexcept {
  // The first one alone: a later one may be the program's own, which scopes may name.
  if (succeeds && former_target_.load(std::memory_order_relaxed) == nullptr)
    former_target_.store(default_target_.load(std::memory_order_relaxed), std::memory_order_release);
  default_target_.store(&target, std::memory_order_release);
}

void core::end_generation() noexcept {
  // Of an earlier generation nothing is freed: its locks and its flusher are the parent's.
  if (generation* last = begun()) delete last;
  current_.store(nullptr, std::memory_order_relaxed); // the last reference: nobody else looks
}

void core::release() noexcept {
  // Release and acquire: whoever deletes sees what the others did.
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

generation* core::begun() const noexcept {
  const fork_guard& guard = fork_guard::instance();
  generation* g = current_.load(std::memory_order_acquire);
  return g != nullptr && guard.alive() && g->epoch == guard.epoch() ? g : nullptr;
}

namespace {

std::string words_for(const beginning& by) {
  if (by.statement == nullptr) {
    std::string words(by.call);
    if (!by.name.empty()) words.append(" '").append(by.name).append("'");
    if (!by.logger.empty()) words.append(" of logger ").append(by.logger);
    return words;
  }
  const site& s = *by.statement;
  return "the statement at " + std::string(s.file) + ':' + std::to_string(s.line) + " in " + s.function +
         ", \"" + s.format + '"';
}

} // namespace

generation& core::begin(const beginning& by) {
  if (generation* g = begun()) return *g;
  fork_guard& guard = fork_guard::instance();
  const std::lock_guard lock(guard);
  test_point(race_point::generation_locked);
  if (!guard.alive()) guard.revive(); // in a forked child: what the parent's threads left has an older epoch
  if (generation* g = begun()) return *g;
  std::string words = words_for(by);
  generation* made = make_generation(guard.epoch());
  if (began_by_.empty()) began_by_ = std::move(words);
  current_.store(made, std::memory_order_release);
  return *made;
}

thread_slot* first_slot() noexcept { return slots_of_thread::first(); }

thread_slot* find_slot(const core& owner) noexcept {
  for (thread_slot* slot = first_slot(); slot != nullptr; slot = slot->next_of_thread)
    if (slot->owner == &owner) return slot;
  return nullptr;
}

namespace {

thread_slot* attach_this_thread(core& owner, const beginning& by) {
  thread_slot* slot = &owner.begin(by).attach_thread(owner.geometry());
  slot->next_of_thread = slots_of_thread::first();
  try {
    slots_of_thread::set_first(slot);
  } catch (...) {
    slot->detach();
    throw;
  }
  owner.acquire();
  if (slot->geometry().holds_outside)
    slot->hold_outside(owner.loggers.root(), owner.default_target(), owner.now());
  slot->place().open.store(slot->owner, std::memory_order_relaxed);
  return slot;
}

} // namespace

thread_slot* obtain_slot(core& owner, const beginning& by) noexcept {
  cursor* const before = current_cursor;
  if (before == &barred_cursor || before == &attaching_cursor) return nullptr;
  thread_slot* slot = find_slot(owner);
  if (slot != nullptr) {
    if (slot->place().open.load(std::memory_order_relaxed) == nullptr) return nullptr;
    current_cursor = &slot->place();
    return slot;
  }
  // A signal handler that interrupts a statement for another runtime does not attach: that allocates.
  const bool ours = before->slot != nullptr && slots_of_thread::first() != nullptr;
  if (ours && before->open.load(std::memory_order_relaxed) == nullptr) return nullptr;
  current_cursor = &attaching_cursor; // a signal handler that logs from here on is counted and goes away
  try {
    slot = attach_this_thread(owner, by);
    current_cursor = &slot->place();
    return slot;
  } catch (...) { // no memory, or no thread for the flusher
    current_cursor = before;
    return nullptr;
  }
}

void renew_slot(core& owner) noexcept {
  if (this_thread_is_barred()) return; // it goes back to the slot that it has
  thread_slot* const slot = find_slot(owner);
  if (slot == nullptr || &slot->geometry() == &owner.geometry() || slot->in_scope() ||
      slot->place().open.load(std::memory_order_relaxed) == nullptr)
    return;
  current_cursor = &attaching_cursor; // a signal handler that logs meanwhile is counted and goes away
  if (thread_slot* before = slots_of_thread::first(); before == slot) {
    slots_of_thread::set_first(slot->next_of_thread); // no memory is needed for a key that has a value
  } else {
    while (before->next_of_thread != slot) before = before->next_of_thread;
    before->next_of_thread = slot->next_of_thread;
  }
  const std::uint32_t name = slot->thread.name;
  const std::uint64_t lost_contexts = std::exchange(slot->lost_contexts, 0);
  slot->detach();
  try {
    thread_slot* const renewed = attach_this_thread(owner, {});
    renewed->thread.name = name;
    renewed->lost_contexts = lost_contexts;
    renewed->flusher.former.store(slot, std::memory_order_release); // pairs with the load of round::visit
    current_cursor = &renewed->place();
  } catch (...) { // no memory: the next statement tries again
    current_cursor = &closed_cursor;
  }
  owner.release(); // the slot's; not the last: the caller's runtime has one
}

barred_section::barred_section() noexcept : before_(current_cursor) { current_cursor = &barred_cursor; }
barred_section::~barred_section() { current_cursor = before_; }
void handler_access::bar_this_thread() noexcept { current_cursor = &barred_cursor; }
bool this_thread_is_barred() noexcept { return current_cursor == &barred_cursor; }

cursor* prepare(const level_gate& gate, const site& where) noexcept {
  // A fork inside a statement leaves its child a cursor that is wiped and then opened: it has no slot.
  if (cursor* const c = current_cursor; c->slot != nullptr && is_open(*c, &gate.owner())) return c;
  core& owner = core::of(gate.owner());
  if (thread_slot* slot = obtain_slot(owner, {.statement = &where})) return &slot->place();
  const bool inside = current_cursor == &attaching_cursor || find_slot(owner) != nullptr;
  auto& count = this_thread_is_barred() ? owner.barred : inside ? owner.reentered : owner.unmade;
  count.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

std::byte* reserve(cursor& c, std::size_t bytes) noexcept {
  thread_slot& slot = *c.slot;
  c.open.store(nullptr, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (bytes <= static_cast<std::size_t>(c.end - c.head) || make_room(c, bytes)) return c.head;
  slot.home->owner.unmade.fetch_add(1, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  c.open.store(slot.owner, std::memory_order_relaxed);
  return nullptr;
}

} // namespace faultline::detail
