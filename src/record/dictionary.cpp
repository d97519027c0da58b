#include "record/dictionary.hpp"

#include <cstring>
#include <new>

#include <faultline/detail/codec.hpp>

#include "base/test_point.hpp"
#include "base/whole_characters.hpp"

namespace faultline::detail {
namespace {

using table_cell = std::atomic<dictionary_entry*>;

/// Text longer than this is cut, so that no single statement can empty the arena.
constexpr std::size_t longest_text = 4096;

} // namespace

dictionary& dictionary::instance() {
  static dictionary& it =
      *new dictionary; // never destroyed: sites are entered by statements in late destructors too
  return it;
}

dictionary::dictionary(std::size_t most_sites, std::size_t bytes)
    : most_sites_(most_sites), table_(most_sites * sizeof(table_cell)), arena_(bytes) {
  // The mapping is zeroed, which is the state of an atomic null pointer; the cells come to life one by one on
  // use.
}

std::byte* dictionary::reserve(std::size_t bytes) noexcept {
  const std::size_t rounded = round_up_8(bytes);
  const std::size_t at = reserved_.fetch_add(rounded, std::memory_order_relaxed);
  if (at + rounded > arena_.size()) {
    reserved_.fetch_sub(rounded, std::memory_order_relaxed);
    return nullptr;
  }
  return arena_.data() + at;
}

std::string_view dictionary::copy(const char* s, std::size_t size) noexcept {
  std::byte* at = reserve(size + 1);
  if (at == nullptr) return {};
  std::memcpy(at, s, size);
  at[size] = std::byte{0};
  return {reinterpret_cast<const char*>(at), size};
}

std::uint64_t dictionary::enter(site& s, std::string_view types, std::uint16_t record_bytes) noexcept {
  if (const std::uint64_t word = s.word.load(std::memory_order_acquire); word != unentered) return word;
  const auto bounded = [this](const char* text) {
    const std::string_view kept = whole_characters({text, ::strnlen(text, longest_text + 3)}, longest_text);
    return copy(kept.data(), kept.size());
  };
  std::byte* at = reserve(sizeof(dictionary_entry));
  if (at == nullptr) return unentered;
  auto* entry = new (at) dictionary_entry{
      {bounded(s.format), bounded(s.file), bounded(s.function), bounded(s.argument_names), s.line},
      copy(types.data(), types.size()),
      s.level};
  // An arena that filled up half way leaves an entry without some of its strings: such a site stays out of
  // the table.
  const site_facts& facts = entry->facts;
  for (const std::string_view text :
       {facts.format, facts.file, facts.function, facts.argument_names, entry->types})
    if (text.data() == nullptr) return unentered;

  const std::uint32_t id = next_id_.fetch_add(1, std::memory_order_relaxed);
  if (id >= most_sites_) {
    next_id_.fetch_sub(1, std::memory_order_relaxed);
    return unentered;
  }
  const std::uint64_t word = static_cast<std::uint64_t>(id) << 32 |
                             static_cast<std::uint64_t>(record_bytes) << 16 | timed | bit_of(s.level);
  if (is_planted(planted_fault::word_before_entry)) s.word.store(word, std::memory_order_release);
  test_point(race_point::site_numbered);
  auto* cells = reinterpret_cast<table_cell*>(table_.data());
  cells[id].store(entry, std::memory_order_release); // publishes the entry to `find`
  test_point(race_point::site_filled);
  if (is_planted(planted_fault::word_is_stored)) s.word.store(unentered, std::memory_order_relaxed);

  std::uint64_t expected = unentered;
  // Two threads may enter the same site at once: one word wins, the other's entry stays behind unused.
  // Release publishes the entry with the word, acquire gives the loser the winner's entry.
  if (s.word.compare_exchange_strong(expected, word, std::memory_order_acq_rel, std::memory_order_acquire))
    return word;
  return expected;
}

dictionary_entry* dictionary::find(std::uint32_t id) const noexcept {
  if (id == 0 || id >= most_sites_) return nullptr;
  const auto* cells = reinterpret_cast<const table_cell*>(table_.data());
  return cells[id].load(std::memory_order_acquire); // pairs with `enter`
}

} // namespace faultline::detail
