// A worker that takes jobs from a queue: one scope for each attempt, inside the loop. A scope around the loop
// would never end, and would mix the records of all jobs. What fails and is tried again is a WARNING, which
// trips nothing; the last attempt trips its scope by a call.
#include <cstdio>
#include <deque>

#include <faultline/faultline.hpp>

namespace {

const faultline::logger logger = faultline::get_logger("mailer");

struct job {
  int letter;
  bool reachable;
  int attempts = 0;
};

bool deliver(const job& j) {
  FAULTLINE_DEBUG(logger, "letter {}: connecting", j.letter);
  if (!j.reachable) return false;
  FAULTLINE_DEBUG(logger, "letter {}: sent", j.letter);
  return true;
}

/// True when the job is done with, well or not.
bool attempt(job& j) {
  constexpr int most_attempts = 3;
  faultline::error_scope scope(logger, {.name = "deliver", .capacity = 50});
  scope.field("letter", j.letter).field("attempt", ++j.attempts);
  if (deliver(j)) return true;
  FAULTLINE_WARNING(logger, "letter {}: no answer", j.letter);
  if (j.attempts < most_attempts) return false;
  scope.trip("given up");
  return true;
}

} // namespace

int main() {
  const auto out = faultline::make_stream_handler(stdout);
  out->set_formatter(faultline::make_text_formatter("{level:<7} {message} ({fields})"));
  faultline::start({.default_target = out});

  std::deque<job> queue{{1, true}, {2, false}, {3, true}};
  while (!queue.empty()) {
    job j = queue.front();
    queue.pop_front();
    if (!attempt(j)) queue.push_back(j);
  }
}

// clang-format off
// Outputs:
// --- dump 1 scope=deliver logger=mailer thread=<thread> start=<time> duration=<duration> trigger=call reason="given up" records=2 forgotten=0 truncated=0 fields.letter=2 fields.attempt=3
// DEBUG   letter 2: connecting (letter=2 attempt=3)
// WARNING letter 2: no answer (letter=2 attempt=3)
// --- end of dump 1
