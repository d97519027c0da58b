#include "scope_model/mistake.hpp"

#include <array>
#include <cstddef>

namespace faultline::scope_model {

std::string_view to_string(mistake m) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(mistake::count)> names{
      "none",
      "capacity off by one",
      "full one record late",
      "farthest logger first",
      "no merging",
      "written twice",
      "passed and written",
      "written and passed",
      "forgotten untold",
      "level of the root",
      "watermark stays",
      "empty dumps",
      "propagates always",
      "sees all",
      "an exception always trips",
      "success takes all",
      "inner scopes stay",
      "hand-over of what is held alone",
      "what is forgotten is written",
      "forgotten summed",
      "outermost context",
      "ninth target",
      "one deeper",
      "errors are silent",
      "first records are of the last",
      "first records only once",
      "never passes",
      "a full scope begins to pass",
      "an empty trip does not begin to pass",
      "told by the innermost",
      "told and written",
      "expects nothing",
      "expected for all",
      "an expected error is held",
      "outside stays",
      "outside sees scopes",
      "outside holds one more",
      "a budget since the trip",
      "slow one late",
      "what is taken along is slow"};
  return names[static_cast<std::size_t>(m)];
}

} // namespace faultline::scope_model
