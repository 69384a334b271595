#pragma once
// The home of a store on disk: its directory and its database, made where they are not there.
#include <string>
#include <system_error>

namespace store::sqlite {

// The directory, durable; nothing where it can be written in.
std::error_code prepare_home(const std::string& home);

// The database, with the present schema. Throws base::Broken, Damaged.
void prepare_database(const std::string& home);

}  // namespace store::sqlite
