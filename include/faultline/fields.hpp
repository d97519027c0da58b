// Lets a user's own trivially copyable type go into records as raw bytes.
#pragma once

#include <faultline/detail/codec.hpp>

#define FAULTLINE_DETAIL_PARENS ()
#define FAULTLINE_DETAIL_EXPAND(...)                                                                         \
  FAULTLINE_DETAIL_EXPAND3(FAULTLINE_DETAIL_EXPAND3(FAULTLINE_DETAIL_EXPAND3(__VA_ARGS__)))
#define FAULTLINE_DETAIL_EXPAND3(...)                                                                        \
  FAULTLINE_DETAIL_EXPAND2(FAULTLINE_DETAIL_EXPAND2(FAULTLINE_DETAIL_EXPAND2(__VA_ARGS__)))
#define FAULTLINE_DETAIL_EXPAND2(...)                                                                        \
  FAULTLINE_DETAIL_EXPAND1(FAULTLINE_DETAIL_EXPAND1(FAULTLINE_DETAIL_EXPAND1(__VA_ARGS__)))
#define FAULTLINE_DETAIL_EXPAND1(...) __VA_ARGS__
#define FAULTLINE_DETAIL_EACH_TYPE(name, ...)                                                                \
  faultline_visitor.template add<decltype(faultline_self::name)>(#name);                                     \
  __VA_OPT__(FAULTLINE_DETAIL_NEXT_TYPE FAULTLINE_DETAIL_PARENS(__VA_ARGS__))
#define FAULTLINE_DETAIL_NEXT_TYPE() FAULTLINE_DETAIL_EACH_TYPE
#define FAULTLINE_DETAIL_EACH_VALUE(name, ...)                                                               \
  faultline_visitor(faultline_object.name);                                                                  \
  __VA_OPT__(FAULTLINE_DETAIL_NEXT_VALUE FAULTLINE_DETAIL_PARENS(__VA_ARGS__))
#define FAULTLINE_DETAIL_NEXT_VALUE() FAULTLINE_DETAIL_EACH_VALUE

/// `FAULTLINE_FIELDS(shop::point, x, y)` at namespace scope, outside any namespace: values of that type are
/// copied into records field by field and print as `{x=1, y=2}`; a specification applies to that text as to a
/// string. The type must be trivially copyable; its fields public numbers, bools, chars, enums, pointers,
/// durations, time points or types that list fields themselves (a compile error says so otherwise). Up to 27
/// fields. No comma may stand in the type's name: give such a type an alias.
#define FAULTLINE_FIELDS(type, ...)                                                                          \
  template <> struct faultline::fields_of<type> {                                                            \
    using faultline_self = type;                                                                             \
    template <class Visitor> static constexpr void types(Visitor& faultline_visitor) {                       \
      FAULTLINE_DETAIL_EXPAND(FAULTLINE_DETAIL_EACH_TYPE(__VA_ARGS__))                                       \
    }                                                                                                        \
    template <class Visitor>                                                                                 \
    static constexpr void each(const faultline_self& faultline_object, Visitor&& faultline_visitor) {        \
      FAULTLINE_DETAIL_EXPAND(FAULTLINE_DETAIL_EACH_VALUE(__VA_ARGS__))                                      \
    }                                                                                                        \
  }
