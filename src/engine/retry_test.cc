#include "engine/retry.h"

#include <gtest/gtest.h>

namespace engine {
namespace {

TEST(Retry, GrowsIsBoundedAndBelievesTheProvider) {
  const llm::ModelError limited{.code = base::Errc::provider_limited, .message = "", .retryable = true};
  EXPECT_LE(*retry_delay_ms(limited, 0, 12345), 250);
  EXPECT_GE(*retry_delay_ms(limited, 3, 0), 1000);
  EXPECT_FALSE(retry_delay_ms(limited, 4, 0));
  EXPECT_FALSE(retry_delay_ms({.code = base::Errc::provider_auth, .message = "", .retryable = false}, 0, 0));
  auto patient = limited;
  patient.retry_after_ms = 5000;
  EXPECT_GE(*retry_delay_ms(patient, 0, 7), 5000);
}

}  // namespace
}  // namespace engine
