#include "tests/backend/op_rig.h"

#include <map>

#include "core/backend/vulkan/backend.h"

namespace vitrine::test {

std::vector<std::string> devices() {
    std::vector<std::string> ids;
    qputenv("VITRINE_VULKAN_VALIDATION", "1");
    for (const backend::DeviceInfo& device : backend::list_devices())
        ids.push_back(device.id);
    return ids;
}

void add_devices() {
    QTest::addColumn<QString>("device");
    for (const std::string& id : devices())
        QTest::newRow(id.c_str()) << QString::fromStdString(id);
}

OpRig::OpRig(const std::vector<int>& queries, const std::vector<int>& past)
    : storage_(std::make_shared<std::vector<std::vector<float>>>()) {
    plan.batch.past = past.empty() ? std::vector<int>(queries.size(), 0) : past;
    plan.batch.row_start = {0};
    for (const int count : queries) {
        for (int i = 0; i < count; ++i)
            plan.batch.tokens.push_back(i);
        plan.batch.row_start.push_back(tokens());
    }
    model.storage = storage_;
    model.format = "memory";
}

run::ValueId OpRig::value(int heads, int width, std::int64_t count) {
    run::Value value;
    value.count = count < 0 ? tokens() : count;
    value.heads = heads;
    value.width = width;
    plan.values.push_back(value);
    return static_cast<run::ValueId>(plan.values.size()) - 1;
}

run::ValueId OpRig::pairs(int heads) {
    run::Value value;
    value.layout = run::Layout::pairs;
    value.heads = heads;
    plan.values.push_back(value);
    return static_cast<run::ValueId>(plan.values.size()) - 1;
}

run::ConstantId OpRig::constant(Shape shape, const std::vector<float>& numbers) {
    plan.constants.push_back(std::make_shared<Tensor>(std::move(shape), numbers));
    return static_cast<run::ConstantId>(plan.constants.size()) - 1;
}

run::ValueId OpRig::input(int heads, int width, const std::vector<float>& numbers) {
    const auto count = static_cast<std::int64_t>(numbers.size()) / (heads * width);
    const run::ValueId id = value(heads, width, count);
    op(run::Constant{constant({count, heads, width}, numbers), id});
    return id;
}

run::ValueId OpRig::input_pairs(int heads, const std::vector<float>& numbers) {
    const run::ValueId id = pairs(heads);
    op(run::Constant{constant({static_cast<std::int64_t>(numbers.size())}, numbers), id});
    return id;
}

model::WeightId OpRig::weight(const std::string& name, int rows, int cols, const std::vector<float>& numbers,
                              bool transposed) {
    std::vector<float> kept = numbers;
    if (transposed)
        for (int r = 0; r < rows; ++r)
            for (int c = 0; c < cols; ++c)
                kept[static_cast<std::size_t>(c) * rows + r] =
                    numbers[static_cast<std::size_t>(r) * cols + c];
    storage_->push_back(std::move(kept)); // a vector that moves keeps its elements in place
    model::Weight weight;
    weight.name = name;
    weight.data = reinterpret_cast<const std::byte*>(storage_->back().data());
    weight.rows = rows;
    weight.cols = cols;
    weight.row_stride = transposed ? 1 : cols;
    weight.col_stride = transposed ? rows : 1;
    return model.add(weight);
}

int OpRig::capture(run::ValueId value) {
    op(run::Capture{value, plan.capture_slots});
    return plan.capture_slots++;
}

std::unique_ptr<backend::LoadedModel> OpRig::load(const QString& device) const {
    // Devices stay open: opening one can take longer than all that a test does on it.
    static std::map<QString, std::unique_ptr<backend::Backend>> open;
    std::unique_ptr<backend::Backend>& backend = open[device];
    if (backend == nullptr) {
        auto opened = backend::open_backend(device.toStdString(), 2);
        if (!opened) {
            QTest::qFail(opened.error().message.c_str(), __FILE__, __LINE__);
            return nullptr;
        }
        backend = std::move(*opened);
    }
    auto loaded = backend->load(model, backend::Precision::exact, {}, {});
    if (!loaded) {
        QTest::qFail(loaded.error().message.c_str(), __FILE__, __LINE__);
        return nullptr;
    }
    return std::move(*loaded);
}

backend::Outputs OpRig::run(const QString& device, backend::KvCache* cache) const {
    const auto loaded = load(device);
    if (loaded == nullptr) return {};
    auto outputs = loaded->execute(plan, cache, {}, {});
    if (!outputs) {
        QTest::qFail(outputs.error().message.c_str(), __FILE__, __LINE__);
        backend::Outputs none; // of the right size, so that the test fails by its message alone
        none.captures.resize(static_cast<std::size_t>(plan.capture_slots));
        return none;
    }
    if (backend::vulkan::validation_messages() > 0)
        QTest::qFail("the Vulkan validation layer has complaints", __FILE__, __LINE__);
    return std::move(*outputs);
}

bool close(std::span<const float> got, std::span<const double> want, const char* what) {
    const double error = nmse(got, want);
    if (error <= exact_budget) return true;
    qWarning("%s: NMSE %g over %zu values, %zu expected", what, error, got.size(), want.size());
    return false;
}

std::vector<double> doubles(const std::vector<float>& numbers) { return {numbers.begin(), numbers.end()}; }

} // namespace vitrine::test
