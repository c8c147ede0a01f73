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

std::string names(const std::string& pattern, const ModelSpec& spec = llama()) {
    const auto hooks = match_hooks(spec, pattern);
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
        QVERIFY(names("q_normed0").starts_with("error"));
        ModelSpec spec = llama();
        spec.rotary_of_layer = {-1, 0};
        QCOMPARE(names("*hook_rot_q", spec), std::string("blocks.1.attn.hook_rot_q"));
    }

    void parallel_blocks_have_no_middle() {
        ModelSpec spec = llama();
        spec.parallel = true;
        QVERIFY(names("blocks.0.hook_resid_mid", spec).starts_with("error"));
        QCOMPARE(names("blocks.0.ln2.hook_in", spec), std::string("blocks.0.hook_resid_pre"));
        QCOMPARE(names("scale1ln2", spec), std::string("blocks.1.ln2.hook_scale"));
        spec.shared_norm = true;
        QVERIFY(names("scale1ln2", spec).starts_with("error"));
        QCOMPARE(names("blocks.0.attn.hook_in", spec), std::string("blocks.0.ln1.hook_out"));
    }

    void norms_elsewhere_have_hooks_of_their_own() {
        ModelSpec spec = llama();
        spec.qk_norm = QkNorm::head;
        QCOMPARE(names("k_normed1", spec), std::string("blocks.1.attn.hook_k_normed"));
        QCOMPARE(names("blocks.0.attn.hook_?_normed", spec),
                 std::string("blocks.0.attn.hook_q_normed blocks.0.attn.hook_k_normed"));
        spec.norm_place = NormPlace::sandwich;
        QCOMPARE(names("scale0ln1_post", spec), std::string("blocks.0.ln1_post.hook_scale"));
        QCOMPARE(names("blocks.0.ln1_post.hook_in", spec), std::string("blocks.0.attn.hook_out"));
        QCOMPARE(names("blocks.0.ln2_post.hook_out", spec), std::string("blocks.0.hook_mlp_out"));
        QCOMPARE(names("blocks.0.ln1.hook_in", spec), std::string("blocks.0.hook_resid_pre"));
        spec.norm_place = NormPlace::branch_output;
        QVERIFY(names("blocks.0.ln1.hook_scale", spec).starts_with("error"));
        QCOMPARE(names("blocks.0.attn.q.hook_in", spec), std::string("blocks.0.attn.hook_in"));
        spec.norm_place = NormPlace::after_sum;
        QCOMPARE(names("blocks.0.ln1.hook_out", spec), std::string("blocks.0.hook_resid_mid"));
        QCOMPARE(names("scale0ln2", spec), std::string("blocks.0.ln2.hook_scale"));
        QCOMPARE(names("blocks.0.attn.hook_out", spec), std::string("blocks.0.hook_attn_out"));
        spec.norm_place = NormPlace::before;
        spec.residual_scale = 0.5F;
        QCOMPARE(names("blocks.0.attn.hook_out", spec), std::string("blocks.0.attn.hook_out"));
        spec.embed_norm = true;
        spec.final_norm = false;
        QCOMPARE(names("embed.ln.hook_scale", spec), std::string("embed.ln.hook_scale"));
        QVERIFY(names("scale", spec).starts_with("error"));
    }
};

QTEST_GUILESS_MAIN(TestHooks)
#include "test_hooks.moc"
