// Parts of a model: counted by hand from the published shapes, and from weights of mixed types.
#include <QtTest>

#include "core/model/parts.h"
#include "core/model/shapes.h"

using namespace vitrine;

class TestParts : public QObject {
    Q_OBJECT
private slots:
    void gpt2_small() {
        const auto parts = model::parts_of(*model::shape_model("gpt2-small"));
        std::map<std::string, std::int64_t> parameters;
        for (const model::Part& part : parts) {
            parameters[part.name] = part.parameters;
            QCOMPARE(part.bytes, static_cast<std::size_t>(part.parameters) * 4);
        }
        const std::int64_t d = 768;
        const std::map<std::string, std::int64_t> by_hand = {
            {"embedding", 50257 * d},
            {"position embedding", 1024 * d},
            {"attention", 12 * (4 * d * d + 4 * d)},
            {"MLP", 12 * (2 * 4 * d * d + 5 * d)},
            {"norms", 25 * 2 * d},
        };
        QVERIFY(parameters == by_hand);
        QCOMPARE(parts.front().name, std::string("MLP"));
        QCOMPARE(qint64{model::sum_of(parts).parameters}, qint64{124439808});
    }

    void mixed_types() {
        model::Model model;
        const auto add = [&](const char* name, DType dtype, std::int64_t rows, std::int64_t cols) {
            model::Weight weight;
            weight.name = name;
            weight.dtype = dtype;
            weight.rows = rows;
            weight.cols = cols;
            model.add(weight);
        };
        add("W_E", DType::q6_k, 10, 256);
        add("blocks.0.mlp.W_in", DType::q4_k, 2, 256);
        add("blocks.0.mlp.W_out", DType::q6_k, 1, 256);
        add("blocks.0.ln2.w", DType::f32, 1, 16);
        const auto parts = model::parts_of(model);
        QCOMPARE(parts.size(), std::size_t{3});
        QCOMPARE(parts[1].name, std::string("MLP"));
        QCOMPARE(parts[1].bytes, std::size_t{2 * 144 + 210}); // bytes of a block of 256: 144 and 210
        QVERIFY((parts[1].dtypes ==
                 std::vector<std::pair<DType, std::int64_t>>{{DType::q4_k, 512}, {DType::q6_k, 256}}));
        const model::Part all = model::sum_of(parts);
        QVERIFY((all.dtypes == std::vector<std::pair<DType, std::int64_t>>{
                                   {DType::q6_k, 11 * 256}, {DType::q4_k, 512}, {DType::f32, 16}}));
        QCOMPARE(all.bytes, std::size_t{11 * 210 + 2 * 144 + 64});
    }
};

QTEST_GUILESS_MAIN(TestParts)
#include "test_parts.moc"
