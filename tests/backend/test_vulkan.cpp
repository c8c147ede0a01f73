// What is the Vulkan backend's own: which kernel is chosen, what may not depend on the batch, how a plan is
// cancelled.
#include <chrono>
#include <cstring>
#include <thread>

#include "core/backend/vulkan/backend.h"
#include "core/backend/vulkan/instance.h"
#include "core/backend/vulkan/matmul.h"
#include "core/backend/vulkan/values.h"
#include "tests/backend/op_rig.h"

using namespace vitrine;
using namespace vitrine::test;
using backend::Precision;
namespace vulkan = backend::vulkan;

namespace {

vulkan::DeviceCaps software() {
    vulkan::DeviceCaps caps;
    caps.type = backend::DeviceType::software;
    caps.subgroup = 8;
    caps.shared_bytes = 32768;
    return caps;
}

vulkan::DeviceCaps graphics_card() {
    vulkan::DeviceCaps caps;
    caps.type = backend::DeviceType::discrete;
    caps.subgroup = 32;
    caps.shared_bytes = 49152;
    return caps;
}

std::string variant(const vulkan::DeviceCaps& caps, std::int64_t m, std::int64_t n, std::int64_t k) {
    return vulkan::pick_matmul(caps, m, n, k, Precision::exact)->variant;
}

} // namespace

class TestVulkan : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        // The op tests run on every device there is: here it must be more than the CPU.
        QVERIFY(devices().size() > 1);
        QVERIFY(vulkan::validation_messages() >= 0);
    }

    void kernels_are_chosen_by_what_the_device_is() {
        QCOMPARE(variant(software(), 512, 3072, 768), std::string("registers8x16"));
        QCOMPARE(variant(software(), 3, 3072, 768), std::string("registers8x4"));
        QCOMPARE(variant(software(), 1, 50257, 768), std::string("registers8x1"));
        QCOMPARE(variant(graphics_card(), 1024, 3072, 768), std::string("shared128"));
        QCOMPARE(variant(graphics_card(), 16, 768, 768), std::string("shared64"));
        auto odd = software();
        odd.subgroup = 4; // no kernel for such narrow vectors
        QCOMPARE(variant(odd, 16, 768, 768), std::string("shared64"));
        const auto mixed = vulkan::pick_matmul(graphics_card(), 16, 768, 768, Precision::mixed);
        QVERIFY(!mixed && mixed.error().code == Code::unsupported);
    }

    void every_tile_stays_within_the_padded_columns() {
        for (const auto& caps : {software(), graphics_card()})
            for (const std::int64_t m : {1, 4, 16, 4096}) {
                const auto kernel = vulkan::pick_matmul(caps, m, 4096, 64, Precision::exact);
                QVERIFY(kernel->columns % vulkan::panel_width(caps) == 0);
                QVERIFY(vulkan::column_padding(caps) % kernel->columns == 0);
            }
    }

    void padded_values_come_back_as_they_went() {
        run::Batch batch;
        batch.past = {0, 2};
        batch.row_start = {0, 3, 4};
        batch.tokens = {0, 0, 0, 0};
        run::Value value;
        value.layout = run::Layout::pairs;
        value.heads = 2;
        const auto layout = vulkan::layout_of(value, batch);
        const auto dense = random_floats(2 * (9 + 3), 1);
        std::vector<float> padded(layout.size * 4), back(dense.size());
        vulkan::pad(layout, dense, padded);
        vulkan::unpad(layout, padded, back);
        QCOMPARE(back, dense);
        QCOMPARE(padded[3], 0.0F); // behind the three keys of the first query
    }

    void a_rows_bits_do_not_depend_on_the_batch_data() { add_devices(); }
    void a_rows_bits_do_not_depend_on_the_batch() {
        QFETCH(QString, device);
        constexpr int in = 200, out = 70;
        const auto x = random_floats(41 * in, 1);
        const auto w = random_floats(in * out, 2);
        std::vector<float> alone;
        for (const int tokens : {1, 3, 16, 41}) {
            OpRig rig({tokens});
            const auto y = rig.value(1, out);
            rig.op(run::Linear{rig.weight("w", in, out, w), run::absent,
                               rig.input(1, in, {x.begin(), x.begin() + tokens * in}), y});
            rig.capture(y);
            const auto got = rig.run(device).captures[0].data;
            if (alone.empty()) alone.assign(got.begin(), got.begin() + out);
            QVERIFY(std::memcmp(alone.data(), got.data(), out * sizeof(float)) == 0);
        }
    }

    void long_work_ends_soon_after_it_is_cancelled_data() { add_devices(); }
    void long_work_ends_soon_after_it_is_cancelled() {
        QFETCH(QString, device);
        constexpr int width = 1024;
        OpRig rig({512});
        const auto weight = rig.weight("w", width, width, random_floats(width * width, 1, 0.01));
        auto x = rig.input(1, width, random_floats(512 * width, 2));
        for (int i = 0; i < 400; ++i) { // seconds on any processor
            const auto y = rig.value(1, width);
            rig.op(run::Linear{weight, run::absent, x, y});
            x = y;
        }
        const auto loaded = rig.load(device);
        CancelToken cancel;
        std::thread canceller([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            cancel.cancel();
        });
        const auto outputs = loaded->execute(rig.plan, nullptr, cancel, {});
        canceller.join();
        QVERIFY(!outputs.has_value());
        QCOMPARE(outputs.error().code, Code::cancelled);
        // The model is as good as before.
        OpRig again({2});
        again.capture(again.input(1, 3, {1, 2, 3, 4, 5, 6}));
        const auto after = loaded->execute(again.plan, nullptr, {}, {});
        QVERIFY(after.has_value());
        QCOMPARE(after->captures[0].data, (std::vector<float>{1, 2, 3, 4, 5, 6}));
    }

    void a_number_without_a_device_is_not_found() {
        const auto backend = backend::open_backend("vulkan:99", 1);
        QVERIFY(!backend && backend.error().code == Code::not_found);
    }

    void nothing_was_wrong_in_the_eyes_of_the_validation_layer() {
        QCOMPARE(vulkan::validation_messages(), 0);
    }
};

QTEST_GUILESS_MAIN(TestVulkan)
#include "test_vulkan.moc"
