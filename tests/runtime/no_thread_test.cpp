// A system that has no thread for the flusher, for a while. A program of its own: it replaces pthread_create.
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faultline/faultline.hpp>

#include "stress/child.hpp"
#include "support/catch.hpp"

namespace {

bool refuses = false;

} // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                              void* argument) {
  if (refuses) return EAGAIN;
  static const auto real = reinterpret_cast<decltype(&pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
  return real(thread, attributes, start, argument);
}

using namespace faultline;

TEST_CASE(
    "a runtime whose flusher could not start begins with the next statement, and not as a child of a fork") {
  class noting_handler final : public handler {
   public:
    void write(const batch& records) override {
      for (const record_view& r : records)
        if (r.logger != "faultline") messages.emplace_back(r.message());
    }
    void after_fork() override { messages.emplace_back("forgot the parent"); }
    std::vector<std::string> messages;
  };
  const auto target = std::make_shared<noting_handler>();
  runtime r({.default_target = target});
  logger lg = r.get_logger();
  lg.add_handler(target);
  refuses = true;
  FAULTLINE_INFO(lg, "without a thread");
  refuses = false;
  FAULTLINE_INFO(lg, "with one");
  CHECK(r.stop());
  CHECK(target->messages == std::vector<std::string>{"with one"});
  CHECK(r.stats().lost == 1);
}

TEST_CASE(
    "the handlers of a forked child hear of the fork when its flusher starts, however often it could not") {
  class counting final : public handler {
   public:
    void write(const batch&) override {}
    void after_fork() override { ++forks; }
    int forks = 0;
  };
  const auto target = std::make_shared<counting>();
  runtime r({.default_target = target});
  logger lg = r.get_logger();
  lg.add_handler(target);
  FAULTLINE_INFO(lg, "the parent's");
  REQUIRE(r.flush());
  const ::pid_t child = ::fork();
  if (child == 0) {
    refuses = true;
    for (int i = 0; i < 3; ++i) FAULTLINE_INFO(lg, "without a thread");
    const int before = target->forks;
    refuses = false;
    FAULTLINE_INFO(lg, "with one");
    const bool is_whole = r.flush();
    ::_exit(before == 0 && is_whole && target->forks == 1 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("start may be called again where the flusher could not be started, with another target") {
  CHECK(stress::in_child([] {
          const auto target = make_memory_handler();
          refuses = true;
          bool is_told = false;
          try {
            start({.default_target = make_null_handler()});
          } catch (const std::system_error&) {
            is_told = true;
          }
          refuses = false;
          start({.default_target = target});
          {
            const error_scope scope(get_logger());
            FAULTLINE_ERROR(get_logger(), "with a thread");
          }
          return is_told && flush() && target->messages() == std::vector<std::string>{"with a thread"} ? 0
                                                                                                       : 1;
        }) == 0);
}

TEST_CASE("a target that a start named which could not start anything stays one of its own") {
  CHECK(stress::in_child([] {
          default_runtime().attach_thread();
          return stress::in_child([] {
            const auto first = make_memory_handler();
            const auto second = make_memory_handler();
            refuses = true;
            bool is_told = false;
            try {
              start({.default_target = first});
            } catch (const std::system_error&) {
              is_told = true;
            }
            refuses = false;
            start({.default_target = second});
            {
              const error_scope scope(get_logger(), {.target = first});
              FAULTLINE_ERROR(get_logger(), "by name");
            }
            const bool is_whole = flush();
            return is_told && is_whole && second->messages().empty() &&
                           first->messages() == std::vector<std::string>{"by name"}
                       ? 0
                       : 1;
          });
        }) == 0);
}
