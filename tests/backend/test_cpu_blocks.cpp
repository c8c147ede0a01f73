// Quantised blocks are widened with the bits of dequantize() at every vector width that this processor has,
// from any element on.
#include <cstring>
#include <random>

#include <QtTest>
#include <fmt/format.h>

#include "core/backend/cpu/kernels.h"
#include "core/backend/cpu/width/width.h"
#include "core/base/quantized.h"

using namespace vitrine;
using namespace vitrine::backend::cpu;

namespace {

constexpr DType types[] = {DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::q8_0,
                           DType::q2_k, DType::q3_k, DType::q4_k, DType::q5_k, DType::q6_k};

struct Widths {
    std::string name;
    Kernels<float> floats;
    Kernels<double> doubles;
};

std::vector<Widths> widths() {
    std::vector<Widths> found{{"baseline", baseline::table<float>(), baseline::table<double>()}};
#if defined(__x86_64__)
    if (vector_width() != "baseline") found.push_back({"avx2", avx2::table<float>(), avx2::table<double>()});
    if (vector_width() == "avx512")
        found.push_back({"avx512", avx512::table<float>(), avx512::table<double>()});
#endif
    return found;
}

} // namespace

class TestCpuBlocks : public QObject {
    Q_OBJECT

private slots:
    void bits_data() {
        QTest::addColumn<int>("type");
        for (const DType type : types)
            QTest::newRow(std::string(dtype_name(type)).c_str()) << static_cast<int>(type);
    }
    void bits() {
        QFETCH(int, type);
        const auto dtype = static_cast<DType>(type);
        const std::int64_t elements = block_elements(dtype) * 7;
        std::vector<std::byte> blocks(stored_bytes(dtype, elements));
        std::mt19937 random(static_cast<unsigned>(type));
        std::vector<float> expected(static_cast<std::size_t>(elements));
        for (int round = 0; round < 20; ++round) {
            for (std::byte& byte : blocks)
                byte = static_cast<std::byte>(random() & 0xFFU); // scales of all kinds, NaN and infinity too
            dequantize(dtype, blocks.data(), expected);
            for (const Widths& width : widths()) {
                for (const std::int64_t first : {std::int64_t{0}, std::int64_t{1}, std::int64_t{31},
                                                 block_elements(dtype), 2 * block_elements(dtype) + 5}) {
                    const std::int64_t count = elements - first - (round % 2 == 0 ? 0 : 3);
                    std::vector<float> ours(static_cast<std::size_t>(count));
                    std::vector<double> wide(ours.size());
                    width.floats.widen_blocks(dtype, blocks.data(), first, count, ours.data());
                    width.doubles.widen_blocks(dtype, blocks.data(), first, count, wide.data());
                    for (std::size_t i = 0; i < ours.size(); ++i) {
                        const float theirs = expected[static_cast<std::size_t>(first) + i];
                        if (std::isnan(theirs)) {
                            QVERIFY(std::isnan(ours[i]) && std::isnan(wide[i]));
                            continue;
                        }
                        QVERIFY2(
                            std::memcmp(&ours[i], &theirs, sizeof theirs) == 0,
                            fmt::format("{} element {}: {} for {}", width.name, i, ours[i], theirs).c_str());
                        QCOMPARE(wide[i], double{theirs});
                    }
                }
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestCpuBlocks)
#include "test_cpu_blocks.moc"
