// Hook names: both vocabularies of TransformerLens, short names, globs.
#include <QtTest>

#include "core/model/hooks.h"

using namespace vitrine::model;

namespace {

ModelSpec llama() {
    ModelSpec spec;
    spec.layers = 2;
    spec.d_model = 12;
    spec.heads = 4;
    spec.kv_heads = 2;
    spec.d_head = 3;
    spec.d_ff = 20;
    spec.vocab = 50;
    spec.gated = true;
    spec.positional = Positional::rotary;
    return spec;
}

std::string names(const std::string& pattern) {
    const auto hooks = match_hooks(llama(), pattern);
    if (!hooks) return "error: " + hooks.error().message;
    std::string joined;
    for (const HookInfo& hook : *hooks)
        joined += (joined.empty() ? "" : " ") + hook.name;
    return joined;
}

} // namespace

class TestHooks : public QObject {
    Q_OBJECT
private slots:
    void one_name_in_many_spellings_data() {
        QTest::addColumn<QString>("pattern");
        QTest::addColumn<QString>("legacy");
        QTest::newRow("legacy") << "blocks.1.attn.hook_pattern"
                                << "blocks.1.attn.hook_pattern";
        QTest::newRow("3.x residual") << "blocks.1.hook_in"
                                      << "blocks.1.hook_resid_pre";
        QTest::newRow("3.x query") << "blocks.0.attn.q.hook_out"
                                   << "blocks.0.attn.hook_q";
        QTest::newRow("3.x mid") << "blocks.0.ln2.hook_in"
                                 << "blocks.0.hook_resid_mid";
        QTest::newRow("3.x z") << "blocks.0.attn.o.hook_in"
                               << "blocks.0.attn.hook_z";
        QTest::newRow("3.x mlp") << "blocks.0.mlp.hook_out"
                                 << "blocks.0.hook_mlp_out";
        QTest::newRow("3.x final") << "ln_final.hook_in"
                                   << "blocks.1.hook_resid_post";
        QTest::newRow("short") << "k1"
                               << "blocks.1.attn.hook_k";
        QTest::newRow("short alias") << "attn_logits0"
                                     << "blocks.0.attn.hook_attn_scores";
        QTest::newRow("short norm") << "scale0ln2"
                                    << "blocks.0.ln2.hook_scale";
        QTest::newRow("short final") << "normalized"
                                     << "ln_final.hook_normalized";
        QTest::newRow("short residual") << "resid_post1"
                                        << "blocks.1.hook_resid_post";
        QTest::newRow("head") << "L1H3"
                              << "blocks.1.attn.hook_z";
        QTest::newRow("glob") << "*hook_pattern"
                              << "blocks.0.attn.hook_pattern blocks.1.attn.hook_pattern";
        QTest::newRow("3.x glob") << "blocks.*.hook_out"
                                  << "blocks.0.ln1.hook_out blocks.0.hook_attn_out blocks.0.mlp.hook_in "
                                     "blocks.0.hook_mlp_out blocks.0.hook_resid_post blocks.1.ln1.hook_out "
                                     "blocks.1.hook_attn_out blocks.1.mlp.hook_in blocks.1.hook_mlp_out "
                                     "blocks.1.hook_resid_post";
    }
    void one_name_in_many_spellings() {
        QFETCH(QString, pattern);
        QFETCH(QString, legacy);
        const QString found = QString::fromStdString(names(pattern.toStdString()));
        if (pattern == "blocks.*.hook_out") // `*` crosses dots, so names of attn.q.hook_out come along
            for (const QString& name : legacy.split(' '))
                QVERIFY2(found.contains(name), qPrintable(name));
        else
            QCOMPARE(found, legacy);
    }

    void a_glob_leaves_out_what_must_be_asked_for() {
        QVERIFY(names("blocks.0.*").find("hook_result") == std::string::npos);
        QVERIFY(names("blocks.0.*").find("hook_q_input") == std::string::npos);
        QCOMPARE(names("blocks.0.attn.*result"), std::string("blocks.0.attn.hook_result"));
    }

    void an_unknown_name_suggests_the_nearest() {
        QCOMPARE(names("blocks.1.hook_residpre"),
                 std::string("error: This model has no hook \"blocks.1.hook_residpre\"; the nearest are "
                             "blocks.1.hook_resid_pre or blocks.0.hook_resid_pre."));
    }

    void absent_values_have_no_hook() {
        QVERIFY(names("hook_pos_embed").starts_with("error"));        // rotary
        QVERIFY(names("blocks.0.hook_attn_in").starts_with("error")); // fewer key heads
    }
};

QTEST_GUILESS_MAIN(TestHooks)
#include "test_hooks.moc"
