// Runs the fuzz targets without libFuzzer: over their corpus and over inputs made of it, the same ones in
// every run.
//
//   fuzz_replay CORPUS TARGET RUNS             exit status 1, and the input, where there is a finding
//   fuzz_replay CORPUS TARGET RUNS --control   the checks are given something wrong: status 1 without a
//   finding fuzz_replay --input FILE TARGET            one input
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/check.hpp"
#include "fuzz/targets.hpp"

namespace {

using namespace faultline::fuzz;

constexpr std::array targets {
  target{"codec", fuzz_codec}, target{"decoder", fuzz_decoder}, target{"pattern", fuzz_pattern},
      target{"json", fuzz_json}, target{"escaping", fuzz_escaping}, target{"format", fuzz_format},
#if defined(FAULTLINE_FUZZ_MAIL)
      target{"mail", fuzz_mail},
#endif
#if defined(FAULTLINE_FUZZ_SETTINGS)
      target{"settings", fuzz_settings},
#endif
      target{"syslog", fuzz_syslog},
};

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(2);
  }
  return content;
}

std::vector<std::string> corpus_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  inputs.reserve(paths.size());
  for (const auto& path : paths) inputs.push_back(content_of(path));
  return inputs;
}

/// Inputs by a generator that is the same everywhere.
class maker {
 public:
  explicit maker(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  std::string next();

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  std::string random_text(std::size_t most);
  void mutate(std::string& text);

  std::vector<std::string> seeds_;
  std::mt19937_64 random_{20261122}; // NOLINT(cert-msc32-c,cert-msc51-cpp): the same inputs in every run
};

std::string maker::random_text(std::size_t most) {
  constexpr std::array<std::string_view, 24> words{"{}",
                                                   "{:>8}",
                                                   "{",
                                                   "}",
                                                   "\n",
                                                   "\r\n",
                                                   "\x1b[2J",
                                                   "\x7f",
                                                   "\xC2\x85",
                                                   "\xE2\x80\xA8",
                                                   "\xED\xA0\x80",
                                                   "\xF0\x9F\x98\x80",
                                                   "\"",
                                                   "\\",
                                                   "]",
                                                   "=?",
                                                   ".",
                                                   "--- end of dump 1",
                                                   "7KiB",
                                                   "{message}",
                                                   "\xFF",
                                                   " ",
                                                   "-1",
                                                   "{:{}}"};
  std::string text;
  for (std::size_t n = below(most); text.size() < n;) {
    if (below(4) == 0)
      text += words[below(words.size())];
    else
      text += static_cast<char>(below(3) == 0 ? below(256) : ' ' + below(95));
  }
  return text;
}

void maker::mutate(std::string& text) {
  const std::size_t at = below(text.size() + 1);
  switch (below(6)) {
  case 0: text.insert(at, random_text(12)); return;
  case 1: text.erase(at, below(9)); return;
  case 2: text.append(random_text(16)); return;
  case 3: text.insert(at, std::string(below(90), static_cast<char>(below(256)))); return;
  case 4: {
    const std::string& other = seeds_[below(seeds_.size())];
    const std::size_t from = below(other.size() + 1);
    text.replace(at, std::min(text.size() - at, below(20)), other.substr(from, below(40)));
    return;
  }
  default:
    if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
  }
}

std::string maker::next() {
  if (below(3) == 0) return random_text(below(10) == 0 ? 1000 : 120);
  std::string text = seeds_[below(seeds_.size())];
  for (std::size_t n = 1 + below(6); n > 0; --n) mutate(text);
  return text;
}

/// What is found in an input; empty for nothing.
std::string found_in(const target& t, const std::string& input) {
  try {
    (void)t.run(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    return {};
  } catch (const finding& f) {
    return f.text;
  } catch (const std::exception& e) {
    return std::string("an exception: ") + e.what();
  }
}

/// Runs one input; false, and said, for a finding.
bool run(const target& t, const std::string& input, const std::string& name) {
  const std::string found = found_in(t, input);
  if (found.empty()) return true;
  std::printf("%s: finding in %s: %s\n  input: %s\n", t.name.data(), name.c_str(), found.c_str(),
              shown(input).c_str());
  return false;
}

const target& target_of(std::string_view name) {
  const auto* const found =
      std::find_if(targets.begin(), targets.end(), [=](const target& t) { return t.name == name; });
  if (found != targets.end()) return *found;
  std::fprintf(stderr, "no target %s\n", std::string(name).c_str());
  std::exit(2);
}

} // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() == 3 && words[0] == "--input")
    return run(target_of(words[2]), content_of(words[1]), words[1]) ? 0 : 1;
  if (words.size() < 3) return 2;
  const target& t = target_of(words[1]);
  expects_wrong = words.size() > 3 && words[3] == "--control";
  const std::vector<std::string> corpus = corpus_of(std::filesystem::path(words[0]) / words[1]);
  const std::size_t runs = std::stoul(words[2]);
  std::size_t done = 0;
  bool good = !corpus.empty();
  for (; good && done < corpus.size(); ++done)
    good = run(t, corpus[done], "corpus input " + std::to_string(done));
  maker inputs(corpus);
  for (; good && done < corpus.size() + runs; ++done)
    good = run(t, inputs.next(), "made input " + std::to_string(done));
  std::printf("%s: %zu runs, %s\n", t.name.data(), done, good ? "0 findings" : "1 finding");
  return good != expects_wrong ? 0 : 1;
}
