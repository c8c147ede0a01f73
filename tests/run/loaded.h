#pragma once
// A fixture's model on a device, for tests of whole runs.
#include <memory>
#include <string>

#include <QtTest>

#include "core/backend/backend.h"
#include "core/model/family.h"
#include "core/run/runner.h"

namespace vitrine::test {

/// Devices that tests run on: the CPU, and Vulkan where there is any device.
inline std::vector<std::string> devices() {
    std::vector<std::string> found;
    for (const backend::DeviceInfo& info : backend::list_devices())
        if (info.id == "cpu" || info.id == "vulkan:0") found.push_back(info.id);
    return found;
}

struct Loaded {
    std::unique_ptr<model::Model> model; // its address must stay: what is loaded refers to it
    std::unique_ptr<backend::Backend> backend;
    std::unique_ptr<backend::LoadedModel> loaded;

    Loaded(const std::string& folder, const std::string& device) {
        auto opened = model::open_model_folder(folder, {}, {});
        if (!opened) qFatal("%s", opened.error().message.c_str());
        model = std::make_unique<model::Model>(std::move(*opened));
        auto open = backend::open_backend(device, 0);
        if (!open) qFatal("%s", open.error().message.c_str());
        backend = std::move(*open);
        auto ready = backend->load(*model, backend::Precision::exact, {}, {});
        if (!ready) qFatal("%s", ready.error().message.c_str());
        loaded = std::move(*ready);
    }

    run::RunResult run(const run::RunSpec& spec) const {
        auto result = run::run(*loaded, *model, spec, {}, {});
        if (!result) qFatal("%s", result.error().message.c_str());
        return std::move(*result);
    }
};

inline std::string fixture(const std::string& name) {
    return std::string(VITRINE_FIXTURES) + "/models/" + name;
}

} // namespace vitrine::test
