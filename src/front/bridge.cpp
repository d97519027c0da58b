#include <faultline/bridge.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>

#include <faultline/detail/statement.hpp>

#include "front/registry.hpp"

namespace faultline {
namespace detail {
namespace {

/// FNV-1a (Fowler, Noll and Vo) and the last step of SplitMix64, which spreads it over all bits.
class key_hash {
 public:
  key_hash& add(std::string_view text) noexcept {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    add_byte(0xFF); // ends the text
    return *this;
  }
  key_hash& add(std::uint32_t number) noexcept {
    for (int i = 0; i < 4; ++i, number >>= 8U) add_byte(number & 0xFFU);
    return *this;
  }
  /// Never zero.
  [[nodiscard]] std::uint64_t value() const noexcept {
    std::uint64_t mixed = (state_ ^ (state_ >> 30U)) * 0xBF58'476D'1CE4'E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D0'49BB'1331'11EBU;
    return (mixed ^ (mixed >> 31U)) | 1U;
  }

 private:
  void add_byte(std::uint32_t byte) noexcept { state_ = (state_ ^ byte) * 0x100'0000'01B3U; }
  std::uint64_t state_ = 0xCBF2'9CE4'8422'2325U;
};

/// A site that was made at run time: which one, and its word. Its facts are in the dictionary alone.
struct known_site {
  /// The hash of what tells it apart; zero while the cell is free, then never changed. Relaxed: it carries
  /// nothing but itself.
  std::atomic<std::uint64_t> key{0};
  /// As `site::word`; zero until the site is in the dictionary. Release by whoever entered it, acquire by
  /// the others: they have the dictionary's entry.
  std::atomic<std::uint64_t> word{0};
  /// How many sites were made for the words of its errors. Relaxed: a bound.
  std::atomic<std::uint32_t> kinds{0};
};

/// A hash table of fixed size from which nothing is taken away. Lock-free.
class known_sites {
 public:
  /// The key's cell; if there is none, one that is claimed for it. Null when there is none free within reach.
  [[nodiscard]] known_site* find(std::uint64_t key) noexcept {
    return find(key, [] { return true; });
  }
  /// The same for one of the kinds of errors of a site, of which there are so many at most.
  [[nodiscard]] known_site* find_kind(known_site& of, std::uint64_t key, std::uint32_t most) noexcept {
    return find(key, [&of, most] {
      return of.kinds.load(std::memory_order_relaxed) < most &&
             of.kinds.fetch_add(1, std::memory_order_relaxed) < most;
    });
  }

 private:
  template <class MayClaim> known_site* find(std::uint64_t key, MayClaim may_claim) noexcept {
    constexpr std::size_t reach = 16;
    for (std::size_t i = 0; i < reach; ++i) {
      known_site& cell = cells_[(key / 2 + i) % cells_.size()]; // the lowest bit is always set
      std::uint64_t there = cell.key.load(std::memory_order_relaxed);
      if (there == key) return &cell;
      if (there != 0) continue;
      if (!may_claim()) return nullptr;
      // Whoever loses to the same key has its cell all the same.
      if (cell.key.compare_exchange_strong(there, key, std::memory_order_relaxed) || there == key)
        return &cell;
    }
    return nullptr;
  }

  std::array<known_site, 8192> cells_;
};

constinit known_sites sites;
constinit known_site beyond[2]; // without the place in the text, and with it

/// Errors of one place, or of one logger and level without places, that are told apart by their words.
constexpr std::uint32_t kinds_of_a_place = 8;
constexpr std::uint32_t kinds_of_a_logger = 64;

/// The first bytes of a text, without a part of a character at the end.
std::string_view first_of(std::string_view text, std::size_t most) noexcept {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return text.substr(0, most);
}

/// What the text of an error has in common with those of its kind: its first words, '#' for each one with a
/// digit, in quotes.
class common_words {
 public:
  explicit common_words(std::string_view text) noexcept {
    text = first_of(text, 256);
    text_[size_++] = '"';
    while (!text.empty()) {
      const std::size_t end = std::min(text.find(' '), text.size());
      std::string_view word = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (word.find_first_of("0123456789") != std::string_view::npos) word = "#";
      const bool first = size_ == 1;
      const std::size_t room = most + 1 - size_;
      if (!first && word.size() >= room) break; // a space comes before it
      if (!first) text_[size_++] = ' ';
      word = first_of(word, room);
      if (!word.empty()) std::memcpy(text_.data() + size_, word.data(), word.size());
      size_ += word.size();
    }
    text_[size_++] = '"';
    text_[size_] = '\0';
  }
  [[nodiscard]] const char* c_str() const noexcept { return text_.data(); }

 private:
  static constexpr std::size_t most = 64;
  std::array<char, most + 3> text_; // two quotes and a null
  std::size_t size_ = 0;
};

std::string_view last_part(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

/// Appends the record. The dictionary copies the facts when the site's first record is made; two threads that
/// make it at once enter two sites, of which later records have one.
template <class... Wire>
void append_at(known_site& known, const node_head& node, level l, site& where, Wire... wire) noexcept {
  const std::uint64_t word = known.word.load(std::memory_order_acquire);
  where.word.store(word != 0 ? word : unentered, std::memory_order_relaxed);
  append(node.gate(l), where, level_at_run_time{bit_of(l)}, wire...);
  if (word != 0) return;
  std::uint64_t none = 0;
  if (const std::uint64_t entered = where.word.load(std::memory_order_relaxed); entered != unentered)
    (void)known.word.compare_exchange_strong(none, entered, std::memory_order_release,
                                             std::memory_order_relaxed);
}

void log_at(known_site& known, const node_head& node, level l, std::string_view text,
            const source_place& place, site& where) noexcept {
  if (place.in_text)
    append_at(known, node, l, where, to_wire(text), to_wire(last_part(place.file)), to_wire(place.line));
  else
    append_at(known, node, l, where, to_wire(text));
}

} // namespace
} // namespace detail

void log_text(logger lg, level l, std::string_view text, const source_place& given) noexcept {
  using namespace detail;
  const node_head& node = lg.node();
  if (l >= level::off || !is_on(node, l)) return;
  source_place place = given;
  const bool placed = place.file != nullptr && *place.file != '\0';
  place.in_text = place.in_text && placed;
  site where{{unentered}, place.in_text ? "{} ({}:{})" : "{}", "", "", "", 0, level::off};

  key_hash hash; // a site's records have arguments of the same types
  hash.add(std::uint32_t{place.in_text});
  known_site* known = nullptr;
  std::uint32_t most_kinds = kinds_of_a_logger;
  if (placed) {
    const key_hash of_place = key_hash(hash).add(place.file).add(place.line);
    known = sites.find(of_place.value());
    if (known != nullptr) {
      hash = of_place;
      most_kinds = kinds_of_a_place;
      where.file = place.file;
      where.function = place.function != nullptr ? place.function : "";
      where.line = place.line;
    }
  }
  if (known == nullptr) {
    const char* const name = static_cast<const detail::node&>(node).name.c_str();
    known = sites.find(hash.add(static_cast<std::uint32_t>(l)).add(name).value());
    if (known != nullptr) where.argument_names = name;
  }
  const bool trips = (node.flush_mask.load(std::memory_order_relaxed) & bit_of(l)) != 0;
  const common_words words(trips ? text : std::string_view{});
  if (trips && known != nullptr) {
    known_site* const kind = sites.find_kind(*known, hash.add(words.c_str()).value(), most_kinds);
    if (kind != nullptr) {
      known = kind;
      where.argument_names = words.c_str();
    }
  }
  log_at(known != nullptr ? *known : beyond[place.in_text ? 1 : 0], node, l, text, place, where);
}

} // namespace faultline
