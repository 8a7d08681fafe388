// What the mutated sources call, included before everything else by the build that scripts/mutate.py makes.
//
// A program holds all mutants at once. MELGRAD_MUTANT=n picks one; without it everything computes what the sources say.
// A site of an expression has a number of neighbouring mutants, `base` on. A trace is a file of one byte a mutant: 1 is
// written to the first of a site that is reached, 2 to a mutant that does not exist for the types at hand.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <tuple>
#include <type_traits>
#include <utility>

namespace mutant {

inline int active = -1;
inline unsigned char* trace = nullptr;

// Writes to this file, one byte a mutant, from now on.
inline void open_trace(const char* file) {
  const int descriptor = open(file, O_RDWR);
  struct stat status;
  if (descriptor < 0 || fstat(descriptor, &status) != 0) std::abort();
  void* bytes =
      mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (bytes == MAP_FAILED) std::abort();
  trace = static_cast<unsigned char*>(bytes);
  close(descriptor);
}

inline bool start() {
  if (const char* number = std::getenv("MELGRAD_MUTANT")) active = std::atoi(number);
  return true;
}
inline const bool started = start();

// Which of the `count` mutants from `base` on is active: 0 …, or -1.
inline int chosen(int base, int count) {
  const unsigned distance = static_cast<unsigned>(active - base);
  if (distance < static_cast<unsigned>(count)) [[unlikely]]
    return static_cast<int>(distance);
  if (trace != nullptr) [[unlikely]]
    trace[base] = 1;
  return -1;
}
constexpr int which(int base, int count) {
  return std::is_constant_evaluated() ? -1 : chosen(base, count);
}
constexpr bool on(int base) {
  return which(base, 1) == 0;
}
inline void absent(int number) {
  if (trace != nullptr) trace[number] = 2;
}

// The simt device's reference to an element: it can be used once, as a temporary.
template <class A>
inline constexpr bool is_element = false;
template <template <class, auto> class Reference, class T, auto space>
inline constexpr bool is_element<Reference<T, space>> =
    std::is_class_v<Reference<T, space>> && !std::is_copy_constructible_v<Reference<T, space>> &&
    std::is_convertible_v<Reference<T, space>&&, T> && !std::is_convertible_v<const Reference<T, space>&, T>;
template <class A>
constexpr const A& plain(const A& a) {
  return a;
}
template <template <class, auto> class Reference, class T, auto space>
requires is_element<Reference<T, space>>
constexpr T plain(Reference<T, space>&& a) {
  return static_cast<Reference<T, space>&&>(a);
}

// The value of an alternative as the type of the original, where there is such a conversion.
template <class Result, class Other, class Value>
constexpr Result as(int number, const Other& other, const Value& original) {
  if constexpr (requires { static_cast<Result>(other); } && !std::is_pointer_v<Result>) {
    return static_cast<Result>(other);
  } else if constexpr (std::is_same_v<Result, Other>) {
    return other;
  } else {
    if (!std::is_constant_evaluated()) absent(number);
    return original;
  }
}

#define MELGRAD_MUTANT_BINARY(name, op, other)                                            \
  template <class A, class B>                                                             \
  constexpr auto name(int base, A&& first, B&& second) {                                  \
    const auto& a = plain(static_cast<A&&>(first));                                       \
    const auto& b = plain(static_cast<B&&>(second));                                      \
    using Result = std::remove_cvref_t<decltype(a op b)>;                                 \
    const Result original = a op b;                                                       \
    if (!std::is_constant_evaluated() && trace != nullptr) {                              \
      (void)as<Result>(base, a, original);                                                \
      (void)as<Result>(base + 1, b, original);                                            \
      if constexpr (!requires { a other b; }) absent(base + 2);                           \
      if constexpr (!requires { -(original); }) absent(base + 3);                         \
    }                                                                                     \
    switch (which(base, 4)) {                                                             \
      case 0:                                                                             \
        return as<Result>(base, a, original);                                             \
      case 1:                                                                             \
        return as<Result>(base + 1, b, original);                                         \
      case 2:                                                                             \
        if constexpr (requires { a other b; }) return static_cast<Result>(a other b);     \
        break;                                                                            \
      case 3:                                                                             \
        if constexpr (requires { -(original); }) return static_cast<Result>(-(original)); \
        break;                                                                            \
    }                                                                                     \
    return original;                                                                      \
  }
MELGRAD_MUTANT_BINARY(sum, +, -)
MELGRAD_MUTANT_BINARY(difference, -, +)
MELGRAD_MUTANT_BINARY(product, *, /)
MELGRAD_MUTANT_BINARY(quotient, /, *)
MELGRAD_MUTANT_BINARY(remainder, %, /)
#undef MELGRAD_MUTANT_BINARY

#define MELGRAD_MUTANT_COMPARISON(name, op, first, second) \
  template <class A, class B>                              \
  constexpr bool name(int base, A&& left, B&& right) {     \
    const auto& a = plain(static_cast<A&&>(left));         \
    const auto& b = plain(static_cast<B&&>(right));        \
    switch (which(base, 2)) {                              \
      case 0:                                              \
        return a first b;                                  \
      case 1:                                              \
        return a second b;                                 \
    }                                                      \
    return a op b;                                         \
  }
MELGRAD_MUTANT_COMPARISON(less, <, <=, >=)
MELGRAD_MUTANT_COMPARISON(less_equal, <=, <, >)
MELGRAD_MUTANT_COMPARISON(greater, >, >=, <=)
MELGRAD_MUTANT_COMPARISON(greater_equal, >=, >, <)
#undef MELGRAD_MUTANT_COMPARISON
template <class A, class B>
constexpr bool equal(int base, A&& a, B&& b) {
  return (plain(static_cast<A&&>(a)) == plain(static_cast<B&&>(b))) != on(base);
}
template <class A, class B>
constexpr bool unequal(int base, A&& a, B&& b) {
  return (plain(static_cast<A&&>(a)) != plain(static_cast<B&&>(b))) != on(base);
}

#define MELGRAD_MUTANT_ASSIGNMENT(name, op, other)                \
  template <class A, class B>                                     \
  constexpr decltype(auto) name(int base, A&& a, B&& second) {    \
    const auto& b = plain(static_cast<B&&>(second));              \
    switch (which(base, 3)) {                                     \
      case 0:                                                     \
        break;                                                    \
      case 1:                                                     \
        a other b;                                                \
        break;                                                    \
      case 2:                                                     \
        a = static_cast<std::remove_cvref_t<decltype(a + b)>>(b); \
        break;                                                    \
      default:                                                    \
        a op b;                                                   \
        break;                                                    \
    }                                                             \
    return static_cast<A&&>(a);                                   \
  }
MELGRAD_MUTANT_ASSIGNMENT(increase, +=, -=)
MELGRAD_MUTANT_ASSIGNMENT(decrease, -=, +=)
MELGRAD_MUTANT_ASSIGNMENT(multiply, *=, /=)
MELGRAD_MUTANT_ASSIGNMENT(divide, /=, *=)
#undef MELGRAD_MUTANT_ASSIGNMENT
#define MELGRAD_MUTANT_ASSIGNMENT(name, op, other)                                \
  template <template <class, auto> class Reference, class T, auto space, class B> \
  requires is_element<Reference<T, space>>                                        \
  void name(int base, Reference<T, space>&& a, B&& second) {                      \
    const auto& b = plain(static_cast<B&&>(second));                              \
    switch (which(base, 3)) {                                                     \
      case 0:                                                                     \
        break;                                                                    \
      case 1:                                                                     \
        static_cast<Reference<T, space>&&>(a) other b;                            \
        break;                                                                    \
      case 2:                                                                     \
        static_cast<Reference<T, space>&&>(a) = static_cast<T>(b);                \
        break;                                                                    \
      default:                                                                    \
        static_cast<Reference<T, space>&&>(a) op b;                               \
        break;                                                                    \
    }                                                                             \
  }
MELGRAD_MUTANT_ASSIGNMENT(increase, +=, -=)
MELGRAD_MUTANT_ASSIGNMENT(decrease, -=, +=)
#undef MELGRAD_MUTANT_ASSIGNMENT
// Of a pointer that moves along: there is nothing to be set to.
template <class A, class B>
constexpr decltype(auto) increase(int base, A*& a, B&& b) {
  if (!std::is_constant_evaluated()) absent(base + 2);
  switch (which(base, 3)) {
    case 0:
      break;
    case 1:
      a -= b;
      break;
    default:
      a += b;
      break;
  }
  return (a);
}

// An operand of && or of ||, left out.
template <class A>
constexpr bool in_and(int base, const A& a) {
  return on(base) || static_cast<bool>(a);
}
template <class A>
constexpr bool in_or(int base, const A& a) {
  return !on(base) && static_cast<bool>(a);
}
// What decides: taken for true, for false.
template <class A>
constexpr bool decision(int base, const A& a) {
  switch (which(base, 2)) {
    case 0:
      return true;
    case 1:
      return false;
  }
  return static_cast<bool>(a);
}
template <class A>
constexpr bool loops(int base, const A& a) {
  return !on(base) && static_cast<bool>(a);
}

template <class A>
constexpr auto negative(int base, A&& value) {
  const auto& a = plain(static_cast<A&&>(value));
  using Result = std::remove_cvref_t<decltype(-a)>;
  return on(base) ? static_cast<Result>(a) : static_cast<Result>(-a);
}
template <class A>
constexpr bool negation(int base, const A& a) {
  return on(base) ? static_cast<bool>(a) : !a;
}
// A whole value with its sign turned.
template <class A>
constexpr decltype(auto) turned(int base, A&& a) {
  using Value = std::remove_cvref_t<A>;
  if constexpr (is_element<Value>) {
    return turned(base, plain(static_cast<A&&>(a)));
  } else if constexpr (std::is_floating_point_v<Value>) {
    return on(base) ? -static_cast<Value>(a) : static_cast<Value>(a);
  } else if constexpr (std::is_same_v<Value, bool>) {
    return on(base) ? !a : static_cast<bool>(a);
  } else {
    if (!std::is_constant_evaluated()) absent(base);
    if constexpr (std::is_lvalue_reference_v<A>) {
      return static_cast<A>(a);
    } else {
      return Value(static_cast<A&&>(a));
    }
  }
}
template <class A>
constexpr A number(int base, A a) {
  return on(base) ? static_cast<A>(a + A{1}) : a;
}
template <class A, class B>
constexpr auto function(int base, const A& result, B&& argument) {
  return on(base) ? as<std::remove_cvref_t<A>>(base, plain(static_cast<B&&>(argument)), result) : result;
}
template <class A>
constexpr A minimum(int base, std::type_identity_t<A> a, std::type_identity_t<A> b) {
  const int n = which(base, 3);
  return n == 0 ? a : n == 1 ? b : n == 2 ? std::max<A>(a, b) : std::min<A>(a, b);
}
template <class A>
constexpr A maximum(int base, std::type_identity_t<A> a, std::type_identity_t<A> b) {
  const int n = which(base, 3);
  return n == 0 ? a : n == 1 ? b : n == 2 ? std::min<A>(a, b) : std::max<A>(a, b);
}
template <class A>
constexpr A minimum_of(int base, const A& a, const A& b) {
  return minimum<A>(base, a, b);
}
template <class A>
constexpr A maximum_of(int base, const A& a, const A& b) {
  return maximum<A>(base, a, b);
}

// Another variable in place of the one that stands there, if it has the same type.
template <class A, class B>
constexpr decltype(auto) pick(int base, A&& a, B&& b) {
  using Value = std::remove_cvref_t<A>;
  constexpr bool writable = std::is_lvalue_reference_v<A> && !std::is_const_v<std::remove_reference_t<A>>;
  if constexpr (!std::is_same_v<Value, std::remove_cvref_t<B>> || (writable && !std::is_same_v<A, B>)) {
    if (!std::is_constant_evaluated()) absent(base);
    if constexpr (std::is_lvalue_reference_v<A>) {
      return static_cast<A>(a);
    } else {
      return Value(static_cast<A&&>(a));
    }
  } else if constexpr (std::is_lvalue_reference_v<A> && std::is_lvalue_reference_v<B>) {
    return on(base) ? static_cast<A>(b) : static_cast<A>(a);
  } else {
    return on(base) ? Value(b) : Value(a);
  }
}

// Faults of scripts/cuda_faults.py: a bound one further or one nearer, and a stride one too long.
template <class A>
constexpr auto moved(int base, A&& bound) {
  const auto& value = plain(static_cast<A&&>(bound));
  using Value = std::remove_cvref_t<decltype(value)>;
  if constexpr (std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>) {
    const int n = which(base, 2);
    return n < 0 ? value : static_cast<Value>(n == 0 ? value + Value{1} : value - Value{1});
  } else {
    if (!std::is_constant_evaluated()) {
      absent(base);
      absent(base + 1);
    }
    return Value(value);
  }
}
template <class A>
constexpr auto longer(int base, A&& stride) {
  const auto& value = plain(static_cast<A&&>(stride));
  using Value = std::remove_cvref_t<decltype(value)>;
  if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, bool>) {
    return on(base) ? static_cast<Value>(value + 1) : value;
  } else {
    if (!std::is_constant_evaluated()) absent(base);
    return Value(value);
  }
}

// a * s + b * t with the strides s and t swapped; without t it is 1.
template <class A, class S, class B, class T>
constexpr auto strides(int base, const A& a, const S& s, const B& b, const T& t) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<S> && std::is_integral_v<B> && std::is_integral_v<T>) {
    using Result = decltype(a * s + b * t);
    return on(base) ? static_cast<Result>(a * t + b * s) : a * s + b * t;
  } else {
    if (!std::is_constant_evaluated()) absent(base);
    return a * s + b * t;
  }
}
template <class A, class S, class B>
constexpr auto strides(int base, A&& first, S&& stride, B&& second) {
  const auto& a = plain(static_cast<A&&>(first));
  const auto& s = plain(static_cast<S&&>(stride));
  const auto& b = plain(static_cast<B&&>(second));
  if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(b)>>) {
    return strides(base, a, s, b, 1);
  } else {
    if (!std::is_constant_evaluated()) absent(base);
    return b + a * s;
  }
}

// Calls a library's function, two arguments of one type swapped: mutants count pairs of arguments, (0, 1), (0, 2), …
template <std::size_t first, std::size_t second, class... A>
void swap_arguments(int number, bool chosen, std::tuple<A...>& arguments) {
  using All = std::tuple<A...>;
  if constexpr (std::is_same_v<std::tuple_element_t<first, All>, std::tuple_element_t<second, All>> &&
                !std::is_same_v<std::tuple_element_t<first, All>, std::nullptr_t>) {
    if (chosen) std::swap(std::get<first>(arguments), std::get<second>(arguments));
  } else {
    absent(number);
  }
}
template <class Function, class... A>
auto call(int base, const Function& function, A... values) {
  constexpr std::size_t count = sizeof...(A);
  std::tuple<A...> arguments(values...);
  const int n = chosen(base, static_cast<int>(count * (count - 1) / 2));
  int number = 0;
  const auto swap_with = [&]<std::size_t first, std::size_t... after>(std::index_sequence<after...>) {
    ((swap_arguments<first, first + 1 + after>(base + number, n == number, arguments), ++number), ...);
  };
  [&]<std::size_t... first>(std::index_sequence<first...>) {
    (swap_with.template operator()<first>(std::make_index_sequence<count - 1 - first>()), ...);
  }
  (std::make_index_sequence<count>());
  return std::apply(function, arguments);
}

}  // namespace mutant
