#pragma once
// `outlast doctor`: whether this machine, this home and its providers are fit for runs, and what to do where they are not.

namespace cli {

struct DoctorOptions {
  bool crash_test = false;  // that instead (cli/crash_check.h)
  bool failpoints = false;  // the names of base/failpoint.h instead, for the crash matrix
  bool json = false;
};

int run_doctor(const DoctorOptions& options);

}  // namespace cli
