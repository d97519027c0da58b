// What a rotation left in a folder.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temporary_directory.hpp"

namespace faultline::test {

/// The names in a folder, sorted.
inline std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// The text of PATH.N … PATH.1 and PATH, one after the other. A gap in the numbers is passed over.
inline std::string text_of_all(const std::string& path) {
  std::string text;
  for (int i = 200; i > 0; --i) text += contents(path + '.' + std::to_string(i));
  return text + contents(path);
}

/// True where each of these files is empty or ends with a line's end.
inline bool lines_are_whole(const std::string& path) {
  for (int i = 200; i >= 0; --i) {
    const std::string text = contents(i == 0 ? path : path + '.' + std::to_string(i));
    if (!text.empty() && text.back() != '\n') return false;
  }
  return true;
}

} // namespace faultline::test
