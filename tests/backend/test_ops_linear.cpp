// Ops that embed, copy, add and multiply, on every device.
#include "tests/backend/op_rig.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

std::size_t size_of(int a, int b, int c = 1) {
    return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c);
}

} // namespace

class TestOpsLinear : public QObject {
    Q_OBJECT
private slots:
    void embed_scales_the_token_rows_data() { add_devices(); }
    void embed_scales_the_token_rows() {
        QFETCH(QString, device);
        for (const int width : {1, 7, 33, 128}) {
            OpRig rig({3, 1, 5});
            rig.plan.batch.tokens = {4, 0, 9, 9, 1, 2, 3, 8, 4};
            const auto table = random_floats(size_of(10, width), 1);
            const auto out = rig.value(1, width);
            rig.op(run::Embed{rig.weight("W_E", 10, width, table), 1.5F, out});
            rig.capture(out);
            std::vector<double> want;
            for (const int token : rig.plan.batch.tokens)
                for (int c = 0; c < width; ++c)
                    want.push_back(1.5 * table[size_of(token, width) + c]);
            QVERIFY(close(rig.run(device).captures[0].data, want, "embed"));
        }
    }

    void positions_count_from_each_rows_first_token_data() { add_devices(); }
    void positions_count_from_each_rows_first_token() {
        QFETCH(QString, device);
        OpRig rig({3, 1, 2}, {0, 4, 1});
        const auto table = random_floats(size_of(12, 33), 1);
        const auto out = rig.value(1, 33);
        rig.op(run::PositionEmbed{rig.weight("W_pos", 12, 33, table), 2, out});
        rig.capture(out);
        std::vector<double> want;
        for (const int position : {0, 1, 2, 4, 1, 2})
            for (int c = 0; c < 33; ++c)
                want.push_back(table[size_of(position + 2, 33) + c]);
        QVERIFY(close(rig.run(device).captures[0].data, want, "position embed"));
    }

    void add_repeat_and_select_data() { add_devices(); }
    void add_repeat_and_select() {
        QFETCH(QString, device);
        for (const int width : {1, 7, 33, 129}) {
            OpRig rig({5, 2});
            const auto a = random_floats(size_of(7, width), 1);
            const auto b = random_floats(size_of(7, width), 2);
            const auto sum = rig.value(1, width);
            const auto repeated = rig.value(3, width);
            const auto chosen = rig.value(1, width, 2);
            rig.op(run::Add{rig.input(1, width, a), rig.input(1, width, b), sum});
            rig.op(run::Repeat{sum, repeated});
            rig.op(run::Select{{6, 1}, sum, chosen});
            rig.capture(sum);
            rig.capture(repeated);
            rig.capture(chosen);
            std::vector<double> added, thrice, two;
            for (std::size_t i = 0; i < a.size(); ++i)
                added.push_back(static_cast<double>(a[i]) + b[i]);
            for (int n = 0; n < 7; ++n)
                for (int h = 0; h < 3; ++h)
                    for (int c = 0; c < width; ++c)
                        thrice.push_back(added[size_of(n, width) + c]);
            for (const int n : {6, 1})
                for (int c = 0; c < width; ++c)
                    two.push_back(added[size_of(n, width) + c]);
            const auto outputs = rig.run(device);
            QVERIFY(close(outputs.captures[0].data, added, "add"));
            QVERIFY(close(outputs.captures[1].data, thrice, "repeat"));
            QVERIFY(close(outputs.captures[2].data, two, "select"));
            QCOMPARE(outputs.captures[1].shape, (Shape{7, 3, width}));
        }
    }

    void linear_data() { add_devices(); }
    void linear() {
        QFETCH(QString, device);
        const struct {
            int tokens, in, out;
        } shapes[] = {{1, 1, 1}, {1, 129, 33}, {7, 33, 129}, {33, 64, 7}, {129, 129, 129}, {50, 600, 70}};
        for (const auto& shape : shapes) {
            for (const bool transposed : {false, true}) {
                for (const bool biased : {false, true}) {
                    OpRig rig({shape.tokens});
                    const auto x = random_floats(size_of(shape.tokens, shape.in), 1);
                    const auto w = random_floats(size_of(shape.in, shape.out), 2);
                    const auto b = random_floats(static_cast<std::size_t>(shape.out), 3);
                    const auto out = rig.value(1, shape.out);
                    const auto weight = rig.weight("w", shape.in, shape.out, w, transposed);
                    const auto bias = rig.weight("b", 1, shape.out, b);
                    rig.op(run::Linear{weight, biased ? bias : run::absent, rig.input(1, shape.in, x), out});
                    rig.capture(out);
                    std::vector<double> want;
                    for (int n = 0; n < shape.tokens; ++n) {
                        for (int c = 0; c < shape.out; ++c) {
                            double sum = biased ? b[static_cast<std::size_t>(c)] : 0.0;
                            for (int k = 0; k < shape.in; ++k)
                                sum += static_cast<double>(x[size_of(n, shape.in) + k]) *
                                       w[size_of(k, shape.out) + c];
                            want.push_back(sum);
                        }
                    }
                    QVERIFY(close(rig.run(device).captures[0].data, want, "linear"));
                }
            }
        }
    }

    void each_head_has_its_own_input_and_its_own_write_data() { add_devices(); }
    void each_head_has_its_own_input_and_its_own_write() {
        QFETCH(QString, device);
        const struct {
            int tokens, heads, d_model, d_head;
        } shapes[] = {{1, 1, 1, 1}, {7, 3, 33, 5}, {33, 4, 64, 16}, {50, 5, 129, 33}};
        for (const auto& shape : shapes) {
            const int inner = shape.heads * shape.d_head;
            OpRig rig({shape.tokens});
            const auto x = random_floats(size_of(shape.tokens, shape.heads, shape.d_model), 1);
            const auto w_in = random_floats(size_of(shape.d_model, inner), 2);
            const auto b_in = random_floats(static_cast<std::size_t>(inner), 3);
            const auto w_out = random_floats(size_of(inner, shape.d_model), 4);
            const auto b_out = random_floats(static_cast<std::size_t>(shape.d_model), 5);
            const auto z = rig.value(shape.heads, shape.d_head);
            const auto result = rig.value(shape.heads, shape.d_model);
            const auto sum = rig.value(1, shape.d_model);
            rig.op(run::HeadLinear{rig.weight("W_Q", shape.d_model, inner, w_in),
                                   rig.weight("b_Q", 1, inner, b_in),
                                   rig.input(shape.heads, shape.d_model, x), z});
            rig.op(run::HeadResult{rig.weight("W_O", inner, shape.d_model, w_out, true), z, result});
            rig.op(run::SumHeads{rig.weight("b_O", 1, shape.d_model, b_out), result, sum});
            rig.capture(z);
            rig.capture(result);
            rig.capture(sum);

            std::vector<double> want_z, want_result, want_sum;
            for (int n = 0; n < shape.tokens; ++n) {
                std::vector<double> sums(b_out.begin(), b_out.end());
                for (int h = 0; h < shape.heads; ++h) {
                    std::vector<double> head;
                    for (int c = h * shape.d_head; c < (h + 1) * shape.d_head; ++c) {
                        double value = b_in[static_cast<std::size_t>(c)];
                        for (int k = 0; k < shape.d_model; ++k)
                            value += static_cast<double>(x[size_of(n * shape.heads + h, shape.d_model) + k]) *
                                     w_in[size_of(k, inner) + c];
                        head.push_back(value);
                    }
                    want_z.insert(want_z.end(), head.begin(), head.end());
                    for (int c = 0; c < shape.d_model; ++c) {
                        double value = 0;
                        for (int k = 0; k < shape.d_head; ++k)
                            value += head[static_cast<std::size_t>(k)] *
                                     w_out[size_of(h * shape.d_head + k, shape.d_model) + c];
                        want_result.push_back(value);
                        sums[static_cast<std::size_t>(c)] += value;
                    }
                }
                want_sum.insert(want_sum.end(), sums.begin(), sums.end());
            }
            const auto outputs = rig.run(device);
            QVERIFY(close(outputs.captures[0].data, want_z, "head linear"));
            QVERIFY(close(outputs.captures[1].data, want_result, "head result"));
            QVERIFY(close(outputs.captures[2].data, want_sum, "sum of heads"));
        }
    }

    void weights_that_are_not_finite_are_refused_by_name_data() { add_devices(); }
    void weights_that_are_not_finite_are_refused_by_name() {
        QFETCH(QString, device);
        for (const bool transposed : {false, true}) {
            OpRig rig({1});
            auto numbers = random_floats(size_of(20, 30), 1);
            numbers[417] = std::numeric_limits<float>::quiet_NaN();
            rig.weight("blocks.0.mlp.W_in", 20, 30, numbers, transposed);
            const auto backend = backend::open_backend(device.toStdString(), 1);
            QVERIFY(backend.has_value());
            const auto loaded = (*backend)->load(rig.model, backend::Precision::exact, {}, {});
            QVERIFY(!loaded.has_value());
            QCOMPARE(loaded.error().code, Code::malformed);
            QVERIFY(loaded.error().message.find("blocks.0.mlp.W_in") != std::string::npos);
        }
    }

    void a_cancelled_plan_ends_with_that_code_data() { add_devices(); }
    void a_cancelled_plan_ends_with_that_code() {
        QFETCH(QString, device);
        OpRig rig({1});
        rig.capture(rig.input(1, 3, {1, 2, 3}));
        const auto loaded = rig.load(device);
        CancelToken cancel;
        cancel.cancel();
        const auto outputs = loaded->execute(rig.plan, nullptr, cancel, {});
        QVERIFY(!outputs.has_value());
        QCOMPARE(outputs.error().code, Code::cancelled);
    }

    void an_unknown_device_is_not_found() {
        const auto backend = backend::open_backend("abacus", 1);
        QVERIFY(!backend.has_value());
        QCOMPARE(backend.error().code, Code::not_found);
        QVERIFY(backend.error().message.find("cpu") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestOpsLinear)
#include "test_ops_linear.moc"
