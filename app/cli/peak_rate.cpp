#include "app/cli/peak_rate.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "app/cli/timing.h"

namespace vitrine::cli {

namespace {

constexpr int rows = 512;
constexpr int width = 2048;
// Products of one plan: as many as take this long, so that what surrounds them hardly counts.
constexpr int fewest_products = 2;
constexpr int most_products = 512;
constexpr double long_enough_ms = 50;
constexpr int runs = 3;

model::Model one_matrix() {
    auto numbers = std::make_shared<std::vector<float>>(static_cast<std::size_t>(width) * width);
    for (std::size_t i = 0; i < numbers->size(); ++i)
        (*numbers)[i] = (static_cast<float>((i * 2654435761U) & 0xFFFFU) / 65536.0F - 0.5F) * 0.05F;
    model::Model model;
    model.path = "peak";
    model.format = "memory";
    model.spec.d_model = width;
    model.add({"W", reinterpret_cast<const std::byte*>(numbers->data()), DType::f32, width, width, width, 1});
    model.storage = std::move(numbers);
    return model;
}

run::Plan products_plan(int products) {
    run::Plan plan;
    plan.batch.tokens.assign(rows, 0);
    plan.batch.row_start = {0, rows};
    plan.batch.past = {0};
    auto input = std::make_shared<Tensor>(Shape{rows, 1, width});
    std::fill(input->data.begin(), input->data.end(), 0.5F);
    plan.constants.push_back(std::move(input));
    for (int i = 0; i <= products; ++i) {
        run::Value value;
        value.count = rows;
        value.width = width;
        plan.values.push_back(value);
    }
    plan.ops.push_back(run::Constant{0, 0});
    for (int i = 1; i <= products; ++i) // each of the same input: a chain's numbers would leave float32
        plan.ops.push_back(run::Linear{0, run::absent, 0, i});
    return plan;
}

} // namespace

Result<double> peak_rate(backend::Backend& backend, backend::Precision precision, const CancelToken& cancel) {
    const model::Model model = one_matrix();
    VITRINE_ASSIGN(const auto loaded, backend.load(model, precision, cancel, {}));
    double best = 0;
    for (int products = fewest_products; products <= most_products; products *= 4) {
        const run::Plan plan = products_plan(products);
        const double flop = 2.0 * rows * width * width * products;
        double shortest_ms = std::numeric_limits<double>::infinity();
        for (int i = 0; i < runs; ++i) {
            const Stopwatch clock;
            VITRINE_TRY(loaded->execute(plan, nullptr, cancel, {}));
            if (i > 0) shortest_ms = std::min(shortest_ms, clock.ms()); // the first run warms up
        }
        best = std::max(best, flop / (shortest_ms / 1000));
        if (shortest_ms >= long_enough_ms) break;
    }
    return best;
}

} // namespace vitrine::cli
