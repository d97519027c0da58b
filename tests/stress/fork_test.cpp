// Forks of a process with one thread, in every state in which that thread may be.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <faultline/faultline.hpp>
#include <faultline/ostream.hpp>

#include "child.hpp"
#include "forked.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

namespace faultline::stress {
namespace {

using namespace std::chrono_literals;

pid_t fork_without_handlers() { return static_cast<pid_t>(::_Fork()); }

/// Without a flusher's thread the process that forks has one thread, as sanitizers want it.
runtime_options by_hand(const handler_ptr& target) {
  return {.default_target = target, .flusher = flusher_mode::manual};
}

} // namespace

TEST_CASE("a thread forks inside a scope, and only the parent writes what the scope held") {
  const auto target = make_memory_handler();
  runtime r(by_hand(target));
  const logger lg = r.get_logger("forks");
  {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "held before the fork");
    const int status = in_child([&] {
      FAULTLINE_ERROR(lg, "the child fails outside any scope of its own");
      if (!r.flush(30s) || target->messages().size() != 1) return 1;
      return log_in_child(r, lg) == 0 ? 0 : 2;
    });
    CHECK(status == 0);
    FAULTLINE_ERROR(lg, "the parent fails");
  }
  REQUIRE(r.flush());
  CHECK(target->messages() == std::vector<std::string>{"held before the fork", "the parent fails"});
}

TEST_CASE("a line that a stream began before the fork is the parent's, and the child begins its own") {
  const auto target = make_memory_handler();
  runtime r(by_hand(target));
  logger lg = r.get_logger("forks");
  lg.add_handler(target);
  log_ostream out(lg, level::info);
  out << "begun ";
  const auto write_in_child = [&] {
    out << "in the child\nanother\n" << std::flush;
    if (!r.flush(30s)) return 1;
    return target->messages() == std::vector<std::string>{"in the child", "another"} ? 0 : 2;
  };
  CHECK(in_child(write_in_child) == 0);
  CHECK(in_child(write_in_child, &fork_without_handlers) == 0);
  CHECK(in_child([&] { // nor when the stream goes first
          static_cast<detail::line_buffer*>(out.rdbuf())->finish();
          return r.flush(30s) && target->messages().empty() ? 0 : 1;
        }) == 0);
  out << "before the fork\n";
  REQUIRE(r.flush());
  CHECK(target->messages() == std::vector<std::string>{"begun before the fork"});
}

TEST_CASE("a child that never logs leaves the parent's records to the parent") {
  const test::temporary_directory directory;
  const std::string path = directory.file("parent.log");
  const auto target = make_file_handler(path);
  target->set_formatter(make_text_formatter("{message}", {.envelope = false}));
  runtime r(by_hand(target));
  const logger lg = r.get_logger("forks");
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "failed before the fork");
  }
  CHECK(in_child([&] { return r.stop(30s) ? 0 : 1; }) == 0);
  CHECK(test::contents(path).empty());
  while (r.run_once()) {
  }
  CHECK(test::contents(path) == "failed before the fork\n");
}

TEST_CASE("a child that opens its handlers anew forgets the parent's text first") {
  class noting_handler final : public handler {
   public:
    void write(const batch&) override {}
    void after_fork() override { calls += "forgets "; }
    void reopen() override { calls += "reopens "; }
    std::string calls;
  };
  const auto target = std::make_shared<noting_handler>();
  runtime r(by_hand(target));
  FAULTLINE_DEBUG(r.get_logger("forks"), "the parent has begun");
  CHECK(in_child([&] {
          r.reopen();
          r.run_once();
          return target->calls == "forgets reopens " ? 0 : 1;
        }) == 0);
  r.reopen();
  r.run_once();
  CHECK(target->calls == "reopens ");
}

TEST_CASE("a child counts what its own handlers lose, from zero") {
  const auto inner = make_callback_handler([](const batch&) { throw 1; });
  const auto target = make_filter_handler(inner, [](const record_view&) { return true; });
  auto options = by_hand(target);
  options.on_error = [](const error_report&) {};
  runtime r(std::move(options));
  const auto fail = [&] {
    {
      const error_scope scope(r.get_logger("forks"));
      FAULTLINE_ERROR(r.get_logger("forks"), "lost");
    }
    r.run_once();
    return r.stats().handler_lost;
  };
  CHECK(fail() == 1);
  CHECK(in_child([&] { return fail() == 1 && inner->lost() == 1 ? 0 : 1; }) == 0);
  CHECK(fail() == 2);
}

TEST_CASE("a child of a child logs as well") {
  runtime r(by_hand(make_null_handler()));
  const logger lg = r.get_logger("forks");
  FAULTLINE_DEBUG(lg, "the parent has begun");
  const int status = in_child([&] {
    const int mine = log_in_child(r, lg) == 0 ? 0 : 1;
    return mine + in_child([] { return 0; });
  });
  CHECK(status == 0);
  const int deep = in_child([&] {
    FAULTLINE_DEBUG(lg, "the child has begun");
    return in_child([&] { return log_in_child(r, lg); });
  });
  CHECK(deep == 0);
}

TEST_CASE("a child made by _Fork, which runs no handlers, finds its cursor closed and logs") {
  // One thread: after _Fork nothing else is sure, the allocator for one.
  runtime r(by_hand(make_null_handler()));
  const logger lg = r.get_logger("forks");
  FAULTLINE_DEBUG(lg, "the parent has begun");
  const int status = in_child(
      [&] {
        const auto own = make_memory_handler();
        {
          const error_scope scope(lg, {.target = own});
          FAULTLINE_ERROR(lg, "child failed");
        }
        while (r.run_once()) {
        }
        return own->messages() == std::vector<std::string>{"child failed"} ? 0 : 1;
      },
      &fork_without_handlers);
  CHECK(status == 0);
}

namespace {
/// A handler of the program's own that logs where it must not hurt: in the child, before its first record.
class logging_after_fork final : public handler {
 public:
  explicit logging_after_fork(const logger*& lg) : logger_(lg) {}
  void write(const batch&) override {}
  void after_fork() override { FAULTLINE_DEBUG(*logger_, "noticed a fork"); }

 private:
  const logger*& logger_;
};
} // namespace

TEST_CASE("a handler that logs in after_fork does not hang the child") {
  const logger* own = nullptr;
  runtime r(by_hand(std::make_shared<logging_after_fork>(own)));
  const logger lg = r.get_logger("forks");
  own = &lg;
  FAULTLINE_DEBUG(lg, "the parent has begun");
  const int status = in_child([&] {
    ::alarm(5);
    FAULTLINE_DEBUG(lg, "the child's first");
    return 0;
  });
  CHECK(status == 0);
}

} // namespace faultline::stress
