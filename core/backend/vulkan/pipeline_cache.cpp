// The compiled kernels on disk: one file a device and driver, so that the next start compiles nothing.
#include <algorithm>

#include <fmt/format.h>

#include "core/backend/vulkan/device.h"
#include "core/base/cache_folder.h"
#include "core/base/hash.h"
#include "core/base/mapped_file.h"

namespace vitrine::backend::vulkan {

namespace {

/// A file for this device and driver.
std::filesystem::path cache_file(const DeviceCaps& device) {
    const std::filesystem::path folder = cache_folder();
    if (folder.empty()) return {};
    const std::string identity =
        fmt::format("{}|{}|{}|{}", device.name, device.driver, device.api, device.subgroup);
    return folder / fmt::format("vulkan-{}.bin", sha256(identity).substr(0, 16));
}

} // namespace

void Device::load_cache() {
    std::string data;
    cache_file_ = cache_file(caps());
    if (!cache_file_.empty())
        if (auto text = read_text(cache_file_)) data = std::move(*text);
    // A driver skips data that is not its own; anything shorter than the header is left out here.
    if (data.size() < sizeof(VkPipelineCacheHeaderVersionOne)) data.clear();
    cache_bytes_ = data.size();
    const VkPipelineCacheCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                         .initialDataSize = data.size(),
                                         .pInitialData = data.data()};
    if (api_.CreatePipelineCache(device_, &info, nullptr, &cache_) < 0) cache_ = VK_NULL_HANDLE;
}

void Device::save_cache() const {
    const std::filesystem::path& file = cache_file_;
    std::size_t size = 0;
    if (!cache_ || file.empty() || api_.GetPipelineCacheData(device_, cache_, &size, nullptr) < 0) return;
    if (size <= std::max(cache_bytes_, sizeof(VkPipelineCacheHeaderVersionOne))) return;
    std::string data(size, '\0');
    if (api_.GetPipelineCacheData(device_, cache_, &size, data.data()) != VK_SUCCESS) return;
    data.resize(size);
    write_cache(file, data);
}

} // namespace vitrine::backend::vulkan
