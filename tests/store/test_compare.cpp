// The verdicts of a replay against closed forms.
#include <cmath>
#include <limits>

#include <QtTest>

#include "core/store/activation_writer.h"
#include "core/store/compare.h"

using namespace vitrine;
using namespace vitrine::store;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

Tensor list(std::vector<float> values) {
    return {{static_cast<std::int64_t>(values.size())}, std::move(values)};
}

Artifact stored_as(const std::filesystem::path& file, const Tensor& values, DType dtype = DType::f32) {
    auto writer = ActivationWriter::create(file, {}, dtype);
    if (!writer->add(0, "hook_embed", {"d"}, values.view())) return {};
    return writer->finish()->front();
}

} // namespace

class TestCompare : public QObject {
    Q_OBJECT
private slots:
    void equal_bits_are_identical() {
        QCOMPARE(compare(list({1, -inf, std::nanf("")}), list({1, -inf, std::nanf("")}), 0).verdict,
                 Verdict::identical);
    }

    void the_error_is_relative_to_the_stored_power() {
        const Comparison result = compare(list({3, 4}), list({3, 4.5F}), 0.01);
        QCOMPARE(result.nmse, 0.25 / 25);
        QCOMPARE(result.max_abs, 0.5);
        QCOMPARE(result.verdict, Verdict::within);
        QCOMPARE(compare(list({3, 4}), list({3, 4.5F}), 0.0099).verdict, Verdict::drifted);
    }

    void masked_scores_compare_by_their_finite_part() {
        const Comparison result = compare(list({2, -inf}), list({2.5F, -inf}), 1);
        QCOMPARE(result.nmse, 0.25 / 4);
        QCOMPARE(result.verdict, Verdict::within);
    }

    void what_has_no_number_has_drifted() {
        QCOMPARE(compare(list({2, -inf}), list({2, 1}), 1).verdict, Verdict::drifted);
        QCOMPARE(compare(list({2, inf}), list({2, -inf}), 1).verdict, Verdict::drifted);
        QCOMPARE(compare(list({2, 1}), list({2, std::nanf("")}), 1).verdict, Verdict::drifted);
        QCOMPARE(compare(list({0, 0}), list({0, 1}), 1).verdict, Verdict::drifted);
        QCOMPARE(compare(list({1, 2}), Tensor({2, 1}, {1, 2}), 1).verdict, Verdict::drifted);
        QVERIFY(std::isinf(compare(list({2, 1}), list({2, std::nanf("")}), 1).nmse));
    }

    void signed_zeros_are_within() {
        const Comparison result = compare(list({0.0F}), list({-0.0F}), 0);
        QCOMPARE(result.verdict, Verdict::within);
        QCOMPARE(result.nmse, 0.0);
    }

    void stored_files_are_checked_before_they_are_compared() {
        QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        const Artifact first = stored_as(folder / "a.h5", list({3, 4}));
        const Artifact same = stored_as(folder / "b.h5", list({3, 4}));
        const Artifact close = stored_as(folder / "c.h5", list({3, 4.5F}));
        const Artifact half = stored_as(folder / "d.h5", list({3, 4}), DType::f16);
        const auto drift = [](const Artifact& stored, const Artifact& again, double tolerance) {
            return compare_artifacts("", {&stored, 1}, "", {&again, 1}, tolerance)->front().comparison;
        };
        QCOMPARE(drift(first, same, 0).verdict, Verdict::identical);
        QCOMPARE(drift(first, close, 0.1).verdict, Verdict::within);
        QCOMPARE(drift(first, close, 1e-7).verdict, Verdict::drifted);
        QCOMPARE(drift(first, close, 1e-7).max_abs, 0.5);
        QCOMPARE(drift(first, half, 0).verdict, Verdict::within); // another type, the same values
        QCOMPARE(drift(first, half, 0).nmse, 0.0);
        QCOMPARE(compare_artifacts("", {&first, 1}, "", {}, 1)->front().comparison.verdict, Verdict::drifted);

        stored_as(folder / "a.h5", list({3, 5})); // replaced behind the journal's back
        QCOMPARE(drift(first, same, 1).verdict, Verdict::damaged);
        std::filesystem::remove(folder / "a.h5");
        QCOMPARE(drift(first, same, 1).verdict, Verdict::damaged);
        std::filesystem::remove(folder / "b.h5");
        QVERIFY(!compare_artifacts("", {&close, 1}, "", {&first, 1}, 1));
    }
};

QTEST_GUILESS_MAIN(TestCompare)
#include "test_compare.moc"
