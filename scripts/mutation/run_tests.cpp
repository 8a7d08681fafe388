// Stands in the mutated copy for tests/run_tests.cpp: a test program that waits for orders on its standard input, and
// forks for each. So a mutant costs no start of a program. An order is a line of numbers and a case's name:
//   mutant  processor microseconds  waiting milliseconds  trace file or -  case
// and the answer, on a line of its own: wait status, processor microseconds. A status of -1: the wait took too long.
// Without MELGRAD_MUTANT_SERVER it is the usual program.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>

#include "tests/main.h"

namespace melgrad::test {
namespace {

struct Order {
  int mutant;
  long processor_microseconds, waiting_milliseconds;
  std::string trace_file, filter;
};

bool read_order(Order& order) {
  std::string name;
  if (!(std::cin >> order.mutant >> order.processor_microseconds >> order.waiting_milliseconds >> order.trace_file))
    return false;
  std::cin.ignore();
  std::getline(std::cin, name);
  order.filter = "-tc=" + name;
  return true;
}

[[noreturn]] void obey(const Order& order) {
  constexpr rlim_t memory = rlim_t{6} << 30;
  const rlimit no_core{0, 0}, memory_limit{memory, memory};
  setrlimit(RLIMIT_CORE, &no_core);
#if !defined(__SANITIZE_ADDRESS__)  // which takes terabytes of addresses
  setrlimit(RLIMIT_AS, &memory_limit);
#endif
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = open("/dev/null", O_RDWR);
  for (int descriptor : {0, 1, 2}) dup2(nothing, descriptor);
  itimerval limit{};
  limit.it_value.tv_sec = order.processor_microseconds / 1'000'000;
  limit.it_value.tv_usec = order.processor_microseconds % 1'000'000;
  setitimer(ITIMER_PROF, &limit, nullptr);
  if (order.trace_file != "-") mutant::open_trace(order.trace_file.c_str());
  mutant::active = order.mutant;
  const char* arguments[] = {"test", order.filter.c_str(), "-aa=1", "-m"};
  doctest::Context context(4, arguments);
  _exit(context.run() == 0 ? 0 : 1);
}

// Waits in slices, which do not pass while this program is stopped from outside.
void judge(const Order& order) {
  const pid_t child = fork();
  if (child == 0) obey(order);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  const timespec slice{0, 50'000'000};
  int status = 0;
  rusage usage{};
  bool late = false;
  for (long waited = 0; wait4(child, &status, WNOHANG, &usage) == 0; waited += 50) {
    if (waited > order.waiting_milliseconds) {
      late = true;
      kill(child, SIGKILL);
      wait4(child, &status, 0, &usage);
      break;
    }
    sigtimedwait(&ends, nullptr, &slice);
  }
  const auto microseconds = [](const timeval& time) { return 1'000'000L * time.tv_sec + time.tv_usec; };
  std::printf("%d %ld\n", late ? -1 : status, microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
  std::fflush(stdout);
}

int serve() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  for (Order order; read_order(order);) judge(order);
  _exit(0);
}

}  // namespace

int run_tests(int argc, char** argv) {
  if (std::getenv("MELGRAD_MUTANT_SERVER") != nullptr) return serve();
  doctest::Context context;
  context.applyCommandLine(argc, argv);
  return context.run();
}

}  // namespace melgrad::test
