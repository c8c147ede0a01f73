#pragma once
// Verdicts of the self-check, kept between starts: one file for each weights hash, device, driver, precision
// and version of the program, all of which decide the numbers.
#include <optional>

#include "core/engine/engine.h"

namespace vitrine::engine {

/// The verdict on this model on this device, if it was measured before by this version. An entry that is
/// damaged, was changed or belongs to something else counts as none; so do shapes made in memory, which have
/// no hash.
std::optional<SelfCheck> known_check(const OpenModel& model);

/// Where there is no place for it, the next start measures again.
void keep_check(const OpenModel& model, const SelfCheck& check);

} // namespace vitrine::engine
