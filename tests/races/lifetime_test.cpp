// Races of threads that come, go, and enter sites, and of a process that forks; each forced.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <unistd.h>

#include "base/fork_guard.hpp"
#include "front/core.hpp"
#include "races/play.hpp"
#include "record/dictionary.hpp"
#include "record/layout.hpp"
#include "record/thread_names.hpp"
#include "stress/child.hpp"

using namespace faultline;
using test::check_race;
using test::closes;
using test::fail;
using test::planted_fault;
using test::race_point;
using test::scene;
using test::strings;
using faults = std::set<planted_fault>;

namespace {

/// Which of two threads each record is of.
std::string threads_of(const std::vector<stored_record>& records, std::uint32_t first, std::uint32_t second) {
  std::string threads;
  for (const stored_record& r : records)
    threads += r.thread_id == first ? '1' : r.thread_id == second ? '2' : '?';
  return threads;
}

/// The flusher comes to the point with what the first thread left; there that ends and the second one takes
/// its slot.
auto succession(const faults& planted, race_point here) {
  scene s(planted);
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  s.thread.does([&] {
    first = static_cast<std::uint32_t>(::gettid());
    FAULTLINE_INFO(s.lg, "before");
    fail(s.lg, 1);
    FAULTLINE_INFO(s.lg, "after");
  });
  const std::uint64_t memory = s.stats().thread_memory_bytes;
  s.at(here, [&] {
    s.thread.ends();
    s.other.does([&] {
      second = static_cast<std::uint32_t>(::gettid());
      fail(s.lg, 2);
      FAULTLINE_INFO(s.lg, "last");
    });
  });
  s.round();
  const strings all = s.messages();
  const bool is_one_slot = s.stats().thread_memory_bytes == memory;
  return std::tuple{all, threads_of(s.target->records(), first, second), is_one_slot, closes(s.stats())};
}

} // namespace

TEST_CASE("a thread that ends while its buffer is with the flusher") {
  const auto end = std::tuple{strings{"before", "held 1", "failed 1", "after", "held 2", "failed 2", "last"},
                              std::string("1111222"), true, true};
  check_race([](const faults& planted) { return succession(planted, race_point::buffer_reached); }, end,
             planted_fault::slot_names_the_thread);
}

TEST_CASE("a slot that a new thread takes while the flusher still reads the last one's outbox") {
  const auto end = std::tuple{strings{"before", "held 1", "failed 1", "after", "held 2", "failed 2", "last"},
                              std::string("1111222"), true, true};
  check_race([](const faults& planted) { return succession(planted, race_point::entry_reached); }, end,
             planted_fault::slot_names_the_thread);
}

TEST_CASE("a slot whose thread is ending is nobody else's yet") {
  const auto play = [](const faults& planted) {
    scene s(planted);
    s.thread.does([&] { FAULTLINE_INFO(s.lg, "first"); });
    s.round();
    std::optional<error_scope> scope;
    s.at(race_point::thread_ends, [&] {
      s.other.does([&] {
        scope.emplace(s.lg);
        FAULTLINE_DEBUG(s.lg, "held");
      });
    });
    s.thread.ends();
    s.other.does([&] {
      FAULTLINE_ERROR(s.lg, "failed");
      scope.reset();
    });
    return std::tuple{s.messages(), s.stats().scopes_abandoned, closes(s.stats())};
  };
  check_race(play, std::tuple{strings{"first", "held", "failed"}, std::uint64_t{0}, true},
             planted_fault::slot_is_left_first);
}

TEST_CASE("a slot that is being published hides none of those before it") {
  const auto play = [](const faults& planted) {
    scene s(planted);
    s.other.does([&] { FAULTLINE_INFO(s.lg, "of an old thread"); });
    bool says_so = false;
    strings early;
    s.at(race_point::slot_made, [&] {
      says_so = s.flush_once();
      early = s.so_far();
    });
    s.thread.does([&] { FAULTLINE_INFO(s.lg, "of a new thread"); });
    return std::tuple{says_so, early, s.messages(), closes(s.stats())};
  };
  check_race(
      play,
      std::tuple{true, strings{"of an old thread"}, strings{"of an old thread", "of a new thread"}, true},
      planted_fault::slot_before_its_successor);
}

TEST_CASE("the nulls that fetch a producer's blocks fetch them all, also where the flusher takes them") {
  const auto play = [](const faults& planted) {
    runtime_options options;
    options.buffers_per_thread = 64;
    options.buffer_bytes = 4096;
    options.storm_dumps_per_second = 0;
    scene s(planted, options);
    s.other.does([&] { FAULTLINE_INFO(s.lg, "the queue's own blocks are spent"); });
    s.round();
    s.each_time_at(race_point::nulls_enqueued, [&] { s.round(); });
    strings expected = s.so_far();
    s.thread.does([&] {
      for (int n = 0; n < 63; ++n) fail(s.lg, n);
    });
    for (int n = 0; n < 63; ++n) {
      expected.push_back("held " + std::to_string(n));
      expected.push_back("failed " + std::to_string(n));
    }
    const auto refused = s.stats().contexts_refused;
    return std::tuple{refused, s.messages() == expected, closes(s.stats())};
  };
  check_race(play, std::tuple{std::uint64_t{0}, true, true}, planted_fault::nulls_go_one_by_one);
}

namespace {

/// Two threads enter one site, the second one whole while the first is at the point. Whether they have one
/// word; whether the second one's had an entry at once, and the site's has it at the end.
auto entered_twice(const faults& planted, race_point here) {
  test::stage s;
  for (const planted_fault f : planted) s.plant(f);
  test::actor thread;
  test::actor other;
  detail::dictionary d(16, 4096);
  detail::site where{};
  where.word = detail::unentered;
  where.format = "text {}";
  where.file = "file.cpp";
  where.function = "function";
  where.argument_names = "x";
  where.level = level::info;
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  bool is_there = false;
  s.at(here, [&] {
    other.does([&] {
      second = d.enter(where, "i", 24);
      is_there = d.find(static_cast<std::uint32_t>(second >> 32)) != nullptr;
    });
  });
  thread.does([&] { first = d.enter(where, "i", 24); });
  const detail::dictionary_entry* const entry = d.find(static_cast<std::uint32_t>(where.word.load() >> 32));
  return std::tuple{first == second, where.word.load() == first, is_there,
                    entry != nullptr && entry->facts.format == "text {}"};
}

} // namespace

TEST_CASE("a site entered by two threads at once has one id") {
  const auto end = std::tuple{true, true, true, true};
  check_race([](const faults& planted) { return entered_twice(planted, race_point::site_filled); }, end,
             planted_fault::word_is_stored);
}

TEST_CASE("a site whose id is known has its entry") {
  const auto end = std::tuple{true, true, true, true};
  check_race([](const faults& planted) { return entered_twice(planted, race_point::site_numbered); }, end,
             planted_fault::word_before_entry);
}

TEST_CASE("two names that two threads put into one cell at once have an id each") {
  const std::string name = "one";
  const auto cell_of = [](std::string_view n) {
    return std::hash<std::string_view>{}(n) % detail::thread_names::most_names;
  };
  std::string rival;
  for (int i = 0; rival.empty() || cell_of(rival) != cell_of(name); ++i) rival = std::to_string(i);
  const auto play = [&](const faults& planted) {
    test::stage s;
    for (const planted_fault f : planted) s.plant(f);
    test::actor thread;
    test::actor other;
    detail::thread_names names;
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    s.at(race_point::name_missed, [&] { other.does([&] { second = names.enter(rival); }); });
    thread.does([&] { first = names.enter(name); });
    return std::tuple{first != second, std::string(names.find(first)), std::string(names.find(second))};
  };
  check_race(play, std::tuple{true, name, rival}, planted_fault::name_is_stored);
}

TEST_CASE("a context that is suppressed while its storm ends is counted, in the next summary") {
  const auto play = [](const faults& planted) {
    test::stage s;
    for (const planted_fault f : planted) s.plant(f);
    test::actor thread;
    detail::storm_board board;
    (void)board.add(7);
    std::uint64_t told = 0;
    s.at(race_point::storm_found, [&] { told = board.remove(7); }); // the flusher sums it up
    bool suppressed = false;
    thread.does([&] { suppressed = board.suppress(7); });
    (void)board.add(7); // it goes on
    (void)board.suppress(7);
    return std::tuple{suppressed, told, board.remove(7), board.suppress(7)};
  };
  check_race(play, std::tuple{true, std::uint64_t{0}, std::uint64_t{2}, false},
             planted_fault::late_context_is_dropped);
}

namespace {

/// Another thread forks while the first one makes the runtime's generation, under the fork guard's lock.
int forked_while_it_begins(bool child_finds_the_lock_taken) {
  scene s;
  int status = -1;
  s.at(race_point::generation_locked, [&] {
    s.other.does([&] {
      status = stress::in_child([&] {
        ::alarm(child_finds_the_lock_taken ? 1 : stress::child_seconds);
        if (child_finds_the_lock_taken) detail::fork_guard::instance().lock();
        fail(s.lg, 1);
        (void)s.get_runtime().flush();
        return s.so_far() == strings{"held 1", "failed 1"} && closes(s.stats()) ? 0 : 1;
      });
    });
  });
  s.thread.does([&] { fail(s.lg, 2); });
  return s.messages() == strings{"held 2", "failed 2"} ? status : -2;
}

} // namespace

TEST_CASE("a child that is forked while another thread holds the fork guard's lock logs nevertheless") {
  for (std::size_t n = stress::scaled(2); n > 0; --n) REQUIRE(forked_while_it_begins(false) == 0);
  CHECK(forked_while_it_begins(true) == 128 + SIGALRM); // the test would notice
}
