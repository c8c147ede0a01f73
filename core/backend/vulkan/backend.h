#pragma once
// The Vulkan room's door: devices, and models resident on them.
#include <memory>
#include <vector>

#include "core/backend/backend.h"

namespace vitrine::backend::vulkan {

/// Every physical device that the program can use, "vulkan:0" first. Empty without a loader or a driver.
std::vector<DeviceInfo> list_devices();

/// The device with that number in list_devices(). not_found, with what to install, if there is none.
Result<std::unique_ptr<Backend>> open_device(int number);

/// Messages of the validation layer so far (VITRINE_VULKAN_VALIDATION=1); −1 if it is not on.
int validation_messages();

} // namespace vitrine::backend::vulkan
