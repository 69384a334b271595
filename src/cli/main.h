#pragma once
// The entry of the command line: finds the command, has its words parsed, runs it.

namespace cli {

// The exit code. docs/cli.md lists commands and codes.
int main(int argc, char** argv);

}  // namespace cli
