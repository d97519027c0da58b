// The named races of docs/design/memory_ordering.md around a hand-over, each forced.
#include <chrono>
#include <functional>
#include <optional>
#include <semaphore>
#include <string>
#include <tuple>
#include <vector>

#include "races/play.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::check_race;
using test::closes;
using test::fail;
using test::planted_fault;
using test::race_point;
using test::scene;
using test::strings;
using faults = std::set<planted_fault>;

namespace {

constexpr auto trip_steps = {race_point::accepted,          race_point::move_decided,
                             race_point::hand_over_ready,   race_point::hand_over_enqueued,
                             race_point::hand_over_counted, race_point::entry_ready,
                             race_point::entry_published};

constexpr auto round_steps = {race_point::heads_noted,    race_point::queue_emptied,
                              race_point::entry_reached,  race_point::buffer_reached,
                              race_point::buffer_written, race_point::entries_written};

} // namespace

TEST_CASE("the outbox entry that overtakes its hand-over") {
  const auto play = [](const faults& planted) {
    scene s(planted);
    s.thread.does([&] {
      fail(s.lg, 1);
      FAULTLINE_INFO(s.lg, "after");
    });
    s.plant(planted_fault::queue_seems_empty); // the entries are noted, the buffer is not found
    s.round();
    const strings early = s.so_far();
    s.heal(planted_fault::queue_seems_empty);
    return std::tuple{early, s.messages(), closes(s.stats())};
  };
  check_race(play, std::tuple{strings{}, strings{"held 1", "failed 1", "after"}, true},
             planted_fault::entries_wait_for_nothing);
}

TEST_CASE("a round that reports too early") {
  const auto play = [](const faults& planted) {
    scene s(planted);
    s.lg.remove_handler(s.target); // no entry says that a hand-over comes first
    s.thread.does([&] { fail(s.lg, 1); });
    s.plant(planted_fault::queue_seems_empty);
    const bool says_so = s.flush_once();
    const strings early = s.so_far();
    s.heal(planted_fault::queue_seems_empty);
    return std::tuple{says_so, early, s.flush_once(), s.so_far()};
  };
  check_race(play, std::tuple{false, strings{}, true, strings{"held 1", "failed 1"}},
             planted_fault::rounds_count_nothing);
}

TEST_CASE(
    "a hand-over between the flusher's note and its dequeue is in this round, one behind it in the next") {
  const auto play = [](const faults& planted, race_point here) {
    scene s(planted);
    s.lg.remove_handler(s.target);
    s.thread.does([&] { s.get_runtime().attach_thread(); });
    s.at(here, [&] { s.thread.does([&] { fail(s.lg, 1); }); });
    const bool first = s.flush_once();
    const strings early = s.so_far();
    const bool second = s.flush_once();
    return std::tuple{first, early, second, s.so_far()};
  };
  const strings all{"held 1", "failed 1"};
  for (std::size_t n = stress::scaled(10); n > 0; --n) {
    REQUIRE(play({}, race_point::heads_noted) == std::tuple{true, all, true, all});
    REQUIRE(play({}, race_point::queue_emptied) == std::tuple{true, strings{}, true, all});
  }
}

TEST_CASE("reading entries beyond the noted head") {
  const auto play = [](const faults& planted) {
    scene s(planted);
    s.at(race_point::heads_noted, [&] {
      s.thread.does([&] {
        FAULTLINE_INFO(s.lg, "before");
        fail(s.lg, 1);
        FAULTLINE_INFO(s.lg, "after");
      });
    });
    s.round();
    const strings first = s.so_far();
    return std::tuple{first, s.messages(), closes(s.stats())};
  };
  check_race(play,
             std::tuple{strings{"before", "held 1", "failed 1"}, // "after" was not noted
                        strings{"before", "held 1", "failed 1", "after"}, true},
             planted_fault::noted_head_is_the_limit);
}

TEST_CASE(
    "whenever a thread is preempted in a failure, a round finds nothing torn, repeated or out of order") {
  const strings expected{"before", "held 1", "failed 1", "after"};
  for (const race_point here : trip_steps)
    for (std::size_t n = stress::scaled(2); n > 0; --n) {
      scene s;
      bool says_so = false;
      s.thread.does([&] { FAULTLINE_INFO(s.lg, "before"); });
      s.at(here, [&] { says_so = s.flush_once(); });
      s.thread.does([&] {
        fail(s.lg, 1);
        FAULTLINE_INFO(s.lg, "after");
      });
      REQUIRE(s.visits(here) > 0);
      REQUIRE(says_so); // what came before the flush is written
      const strings early = s.so_far();
      const bool enqueued = here >= race_point::hand_over_enqueued;
      REQUIRE(early == (enqueued ? strings{"before", "held 1", "failed 1"} : strings{"before"}));
      REQUIRE(s.messages() == expected);
      REQUIRE(closes(s.stats()));
    }
}

TEST_CASE("whenever the flusher is preempted in a round, a failure is told whole and in its place") {
  const strings expected{"held 1", "failed 1", "between", "held 2", "failed 2", "after"};
  for (const race_point here : round_steps)
    for (std::size_t n = stress::scaled(2); n > 0; --n) {
      scene s;
      s.thread.does([&] {
        fail(s.lg, 1);
        FAULTLINE_INFO(s.lg, "between");
      });
      s.at(here, [&] {
        s.thread.does([&] {
          fail(s.lg, 2);
          FAULTLINE_INFO(s.lg, "after");
        });
      });
      s.round();
      REQUIRE(s.visits(here) > 0);
      REQUIRE(s.messages() == expected);
      REQUIRE(closes(s.stats()));
    }
}

TEST_CASE("a buffer that the flusher still reads is not written again") {
  const auto play = [](const faults& planted) {
    runtime_options options;
    options.buffers_per_thread = 2;
    scene s(planted, options);
    s.thread.does([&] { fail(s.lg, 1); });
    s.at(race_point::buffer_reached, [&] {
      s.thread.does([&] {
        fail(s.lg, 2); // no buffer is free: the error goes alone
        FAULTLINE_SCOPE(s.lg);
        FAULTLINE_DEBUG(s.lg, "held {}", 3);
      });
    });
    s.round();
    s.heal(planted_fault::buffer_is_given_back_first);
    const strings all = s.messages();
    s.thread.does([&] { fail(s.lg, 4); });
    const auto dumps = s.dumps();
    const auto stats = s.stats();
    return std::tuple{all, dumps.back().lost_contexts, stats.contexts_refused, stats.lost, closes(stats)};
  };
  const auto end = std::tuple{strings{"held 1", "failed 1", "failed 2"}, std::uint64_t{1}, std::uint64_t{1},
                              std::uint64_t{1}, true};
  check_race(play, end, planted_fault::buffer_is_given_back_first);
}

TEST_CASE("part of an outbox that the flusher still reads is not written again") {
  const auto play = [](const faults& planted) {
    runtime_options options;
    options.outbox_bytes = 4096;
    scene s(planted, options);
    int most = 0;
    s.thread.does([&] {
      while (s.stats().outbox_full == 0) FAULTLINE_INFO(s.lg, "number {:03}", most++);
    });
    --most; // the last one was refused
    s.at(race_point::entry_reached, [&] {
      s.thread.does([&] {
        for (int n = 0; n < most; ++n) FAULTLINE_INFO(s.lg, "refused {:02}", n);
      });
    });
    s.round();
    strings expected;
    for (int n = 0; n < most; ++n) expected.push_back(fmt::format("number {:03}", n));
    const auto stats = s.stats();
    return std::tuple{s.messages() == expected, stats.outbox_full - 1 == static_cast<std::uint64_t>(most),
                      most > 20, closes(s.stats())};
  };
  check_race(play, std::tuple{true, true, true, true}, planted_fault::entries_are_given_back_first);
}

TEST_CASE("a late `accepting`: what is handed over behind the last round is in flight, and nowhere lost") {
  const auto play = [](const faults&, bool is_late) {
    scene s;
    s.thread.does([&] { FAULTLINE_INFO(s.lg, "before"); });
    const auto stop = [&] { s.flusher.does([&] { (void)s.get_runtime().stop(1s); }); };
    if (is_late)
      s.at(race_point::accepted, stop);
    else
      stop();
    s.thread.does([&] { fail(s.lg, 1); });
    const runtime_stats stats = s.stats();
    return std::tuple{s.so_far(),       stats.logged, stats.handed_over, stats.in_flight,
                      stats.after_stop, stats.lost,   stats.discarded};
  };
  const std::uint64_t none = 0;
  for (std::size_t n = stress::scaled(10); n > 0; --n) {
    // Two records in a dump, and the entry of one of them.
    REQUIRE(play({}, true) == std::tuple{strings{"before"}, std::uint64_t{3}, std::uint64_t{2},
                                         std::uint64_t{3}, none, none, none});
    REQUIRE(play({}, false) == std::tuple{strings{"before"}, std::uint64_t{3}, none, none, std::uint64_t{1},
                                          std::uint64_t{1}, std::uint64_t{1}});
  }
}

TEST_CASE("a late `accepting`: what is handed over while `stop` drains is written") {
  const auto play = [](const faults& planted) {
    scene s(planted);
    s.thread.does([&] { FAULTLINE_INFO(s.lg, "before"); });
    std::binary_semaphore preempted{0};
    std::binary_semaphore goes_on{0};
    s.at(race_point::accepted, [&] {
      preempted.release();
      goes_on.acquire();
    });
    s.thread.begins([&] { fail(s.lg, 1); });
    preempted.acquire();
    s.at(race_point::queue_emptied, [&] {
      goes_on.release();
      s.thread.waits();
    });
    bool drained = false;
    s.flusher.does([&] { drained = s.get_runtime().stop(1s); });
    return std::tuple{drained, s.so_far(), closes(s.stats())};
  };
  check_race(play, std::tuple{true, strings{"before", "held 1", "failed 1"}, true},
             planted_fault::drain_is_one_round);
}

TEST_CASE("a scope that ends on another thread while an inner one's hand-over is decided") {
  const auto play = [](const faults& planted) {
    scene s(planted);
    std::optional<error_scope> outer;
    s.at(race_point::move_decided, [&] { s.other.does([&] { outer.reset(); }); });
    s.thread.does([&] {
      outer.emplace(s.lg, scope_options{.name = "outer", .flush_level = level::critical});
      FAULTLINE_SCOPE(s.lg, .name = "inner");
      FAULTLINE_DEBUG(s.lg, "held 1");
      FAULTLINE_ERROR(s.lg, "failed 1");
      FAULTLINE_DEBUG(s.lg, "kept 2"); // a copy left: the buffer is the thread's as before
    });
    s.thread.does([&] { fail(s.lg, 3); });
    for (int rounds = 0; rounds < 2; ++rounds) s.round(); // with the fault no flush is ever done
    const auto stats = s.stats();
    return std::tuple{s.so_far(), stats.scopes_abandoned, stats.hand_overs, closes(stats)};
  };
  const auto end = std::tuple{strings{"held 1", "failed 1", "held 3", "failed 3"}, std::uint64_t{1},
                              std::uint64_t{2}, true};
  check_race(play, end, planted_fault::move_is_decided_twice);
}

TEST_CASE("a scope that ends on another thread, when its place is another scope's already") {
  const auto play = [](const faults& planted) {
    scene s(planted);
    std::optional<error_scope> first;
    std::optional<error_scope> second;
    std::optional<error_scope> third;
    std::optional<error_scope> fourth;
    s.thread.does([&] {
      first.emplace(s.lg, scope_options{.flush_level = level::critical});
      second.emplace(s.lg, scope_options{.name = "second"});
    });
    s.at(race_point::scope_ends_on_other, [&] {
      s.thread.does([&] {
        first.reset(); // takes the second one along
        third.emplace(s.lg, scope_options{.flush_level = level::critical});
        fourth.emplace(s.lg, scope_options{.name = "fourth"});
      });
    });
    s.other.does([&] { second.reset(); });
    s.thread.does([&] {
      FAULTLINE_DEBUG(s.lg, "held 1");
      FAULTLINE_ERROR(s.lg, "failed 1");
      fourth.reset();
      third.reset();
    });
    strings scopes;
    for (const stored_dump& d : s.dumps()) scopes.push_back(d.scope);
    return std::tuple{s.messages(), scopes, s.stats().scopes_abandoned, closes(s.stats())};
  };
  check_race(play, std::tuple{strings{"held 1", "failed 1"}, strings{"fourth"}, std::uint64_t{1}, true},
             planted_fault::end_names_no_scope);
}

TEST_CASE("the flusher's time does not undo what a thread has read meanwhile") {
  const auto play = [](const faults& planted) {
    runtime_options options;
    options.clock = clock_kind::coarse;
    scene s(planted, options);
    s.lg.remove_handler(s.target);
    const handler_ptr elsewhere = make_null_handler();
    elsewhere->set_level(level::info);
    s.lg.add_handler(elsewhere); // a record that is passed reads the clock
    std::optional<error_scope> scope;
    s.thread.does([&] { scope.emplace(s.lg); });
    s.at(race_point::time_read, [&] { s.thread.does([&] { FAULTLINE_INFO(s.lg, "first"); }); });
    s.round();
    s.thread.does([&] {
      FAULTLINE_DEBUG(s.lg, "second");
      scope->trip("enough");
      scope.reset();
    });
    s.write_all();
    const auto records = s.target->records();
    return std::tuple{s.so_far(), !records.empty() && records.front().time == records.back().time};
  };
  check_race(play, std::tuple{strings{"first", "second"}, true}, planted_fault::time_is_stored);
}

TEST_CASE("a handler that comes or goes while a record is on its way into the outbox has the record once") {
  for (const race_point here : {race_point::entry_ready, race_point::entry_published})
    for (const bool comes : {true, false}) {
      scene s;
      logger lg = s.lg;
      lg.add_handler(make_null_handler()); // the record is passed in any case
      if (comes) lg.remove_handler(s.target);
      s.at(here, [&] { comes ? lg.add_handler(s.target) : lg.remove_handler(s.target); });
      s.thread.does([&] {
        const error_scope scope(lg);
        FAULTLINE_INFO(lg, "passed");
        FAULTLINE_ERROR(lg, "failed");
      });
      REQUIRE(s.messages() == strings{"passed", "failed"});
      REQUIRE(closes(s.stats()));
    }
}
