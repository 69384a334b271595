#pragma once
// `outlast doctor --crash-test`: a short crash test on the user's own machine. This program serves on a home of its own and a
// free loopback port, is killed with -9 in the middle of a scripted run, started again, and what a client saw is compared.
// Takes a few seconds; touches neither the user's home nor the network.

namespace cli {

// Tells the story on stderr and the result on stdout: a line, or an object with `json`. 0 when everything held, else 1.
int run_crash_check(bool json);

}  // namespace cli
