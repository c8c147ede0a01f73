#pragma once
// From text to a run on the desk: tokens at once, numbers as soon as they are there, a step once typing
// rests.
#include <QElapsedTimer>
#include <QTimer>

#include "app/window/bench.h"
#include "app/window/prompt_reader.h"
#include "views/shared/desk.h"

namespace vitrine::window {

/// How a text goes on. Temperature 0: greedy; top_k 0: no limit.
struct Sampling {
    int tokens = 16;
    double temperature = 0;
    int top_k = 0;
    double top_p = 1;
    std::uint64_t seed = 0;
};

class Runner : public QObject {
    Q_OBJECT

public:
    Runner(Bench& bench, views::Desk& desk, QObject* parent = nullptr);

    /// Tokenizes and runs; called at every keystroke. A newer text replaces the one before.
    void set_text(const QString& text);
    /// The same for a step of the session, its interventions included: it is not recorded again.
    void show_recorded(const QString& text, const QStringList& edits, std::int64_t step);
    const QString& text() const { return text_; }
    /// Records the current text, and the same with interventions, as steps now.
    void commit();
    /// Continues the text, with the interventions while B is shown; says `generated` with what was added.
    /// `tokens`: 0: as the sampling says.
    void generate(int tokens = 0);
    /// How the next texts are drawn.
    void set_sampling(const Sampling& sampling) { sampling_ = sampling; }
    const Sampling& sampling() const { return sampling_; }
    /// Runs tokens only to compare with them; `ids` may be empty, then those of the text.
    void pin_as_b(const QString& text, const std::vector<std::int32_t>& ids, const QStringList& edits,
                  std::int64_t step);

    const TextForm& form() const { return form_; }
    /// How texts are read from the next one on.
    void set_form(const TextForm& form);
    /// The same, and the current text once more.
    void change_form(const TextForm& form);
    tokenizer::Specials specials() const { return form_.chat ? tokenizer::Specials::none : form_.specials; }
    /// Whether the model has a template for conversations.
    bool has_chat() const { return reader_.has_chat(); }
    bool starts_with_bos() const;
    bool has_bos() const;

signals:
    void form_changed(); ///< or what the model can take
    void encoded(const vitrine::window::Encoded& what);
    void refused(const QString& sentence); ///< empty: all is well again
    void arrived(double milliseconds);     ///< from the last keystroke to the run on the desk
    void recorded(std::int64_t step);
    void generated(const QString& text);
    void generating(const QString& so_far);
    void drew(const vitrine::run::GenerateStep& step); ///< the next token of a text on its way
    void generation_done(const std::shared_ptr<const vitrine::engine::GenerateRecord>& record);

private:
    /// A run, and the same with interventions if any is switched on.
    struct Answer {
        engine::RunRecord clean;
        std::optional<engine::RunRecord> edited;
        QString problem; ///< why the interventions could not be run
    };
    void edits_changed();
    void start(bool record);
    bool record_made();
    void show(const std::shared_ptr<engine::OpenModel>& model, Answer answer, const QString& prompt,
              const QStringList& edits, bool record);
    /// The row that `from row=1` reads, if any of these interventions does.
    Result<std::optional<run::RunRow>> row_beside(const QStringList& edits) const;

    Bench& bench_;
    views::Desk& desk_;
    PromptReader reader_;
    QString text_;
    TextForm form_;
    Sampling sampling_;
    /// The last long run, without its captures: too long to be made once more only to be recorded.
    struct Made {
        std::shared_ptr<engine::OpenModel> model;
        std::shared_ptr<const Answer> answer;
        QString prompt;
        QStringList edits;
    };
    std::optional<Made> made_;
    std::optional<run::RunRow> row_;
    QElapsedTimer since_keystroke_;
    QTimer rest_; ///< fires when typing rests
    std::vector<std::int32_t> recorded_ids_;
    std::string recorded_model_;
    QStringList recorded_edits_;
    std::int64_t adopted_step_ = 0; ///< the step that `adopted_text_` with `adopted_edits_` already is
    QString adopted_text_;
    QStringList adopted_edits_;
    bool restoring_ = false; ///< interventions are being set together with a text
};

} // namespace vitrine::window
