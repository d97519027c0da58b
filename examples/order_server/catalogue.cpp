#include "catalogue.hpp"

#include <algorithm>
#include <array>

namespace shop {
namespace {

// Each table is sorted by its key.
constexpr std::array articles{
    article{"B-100", "A short history of lighthouses", 2490, 7, 640, 50, "north"},
    article{"B-101", "Knots and splices", 1450, 7, 310, 50, "north"},
    article{"B-102", "Tide tables", 890, 7, 120, 200, "north"},
    article{"B-103", "Atlas of small harbours", 5900, 7, 1850, 20, "north"},
    article{"C-200", "Oil lamp", 3995, 19, 900, 30, "south"},
    article{"C-201", "Wick, three pieces", 349, 19, 20, 500, "south"},
    article{"C-202", "Lamp oil, one litre", 799, 19, 1050, 100, "south"},
    article{"C-203", "Glass chimney", 1195, 19, 260, 60, "south"},
    article{"D-300", "Brass compass", 8900, 19, 450, 10, "south"},
    article{"D-301", "Sextant", 48900, 19, 1600, 3, "vault"},
    article{"D-302", "Barometer", 15900, 19, 1250, 5, "south"},
    article{"E-400", "Rope, ten metres", 1999, 19, 1100, 100, "yard"},
    article{"E-401", "Shackle", 459, 19, 90, 400, "yard"},
    article{"E-402", "Fender", 2750, 19, 780, 40, "yard"},
    article{"E-403", "Anchor, eight kilogrammes", 6990, 19, 8000, 8, "yard"},
    article{"F-500", "Ship's biscuit, tin", 1290, 7, 1000, 150, "north"},
    article{"F-501", "Marmalade", 420, 7, 450, 300, "north"},
    article{"F-502", "Black tea, half a kilogramme", 1690, 7, 500, 120, "north"},
    article{"G-600", "Oilskin coat", 12900, 19, 1400, 15, "south"},
    article{"G-601", "Wool cap", 2400, 19, 110, 80, "south"},
    article{"G-602", "Sea boots", 7900, 19, 2100, 20, "south"},
    article{"Z-900", "Figurehead, carved", 125000, 19, 42000, 2, "island"},
};

constexpr std::array customers{
    customer{"K-1001", "Harbour office", 50, 2'000'000},
    customer{"K-1002", "Ada's ship supplies", 100, 5'000'000},
    customer{"K-1003", "Pilot station", 25, 1'500'000},
    customer{"K-1004", "J. Turner", 0, 150'000},
    customer{"K-1005", "Lighthouse trust", 75, 3'000'000},
    customer{"K-1006", "M. Wolf", 0, 200'000},
    customer{"K-1007", "Sailing school", 60, 2'500'000},
    customer{"K-1008", "Museum of navigation", 40, 4'000'000},
};

constexpr std::array countries{
    country{"AT", 2, false}, country{"CH", 2, true},  country{"DE", 1, false}, country{"DK", 2, false},
    country{"FR", 2, false}, country{"IE", 3, false}, country{"NL", 1, false}, country{"NO", 3, true},
    country{"PL", 2, false}, country{"PT", 3, false},
};

template <class Table, class Key>
auto find_in(const Table& table, std::string_view key, Key key_of) noexcept -> decltype(table.data()) {
  const auto at =
      std::lower_bound(table.begin(), table.end(), key,
                       [&key_of](const auto& entry, auto wanted) { return entry.*key_of < wanted; });
  return at != table.end() && (*at).*key_of == key ? &*at : nullptr;
}

} // namespace

const article* find_article(std::string_view code) noexcept {
  return find_in(articles, code, &article::code);
}
const customer* find_customer(std::string_view number) noexcept {
  return find_in(customers, number, &customer::number);
}
const country* find_country(std::string_view code) noexcept {
  return find_in(countries, code, &country::code);
}

} // namespace shop
