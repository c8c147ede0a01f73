#pragma once
// From text to a run on the desk: tokens at once, numbers as soon as they are there, a step once typing
// rests.
#include <QElapsedTimer>
#include <QTimer>

#include "app/window/bench.h"
#include "views/shared/desk.h"

namespace vitrine::window {

/// A tokenized text.
struct Encoded {
    std::vector<tokenizer::Token> spans;
    std::vector<figure::Token> tokens;
};

class Runner : public QObject {
    Q_OBJECT

public:
    Runner(Bench& bench, views::Desk& desk, QObject* parent = nullptr);

    /// Tokenizes and runs; called at every keystroke. A newer text replaces the one before.
    void set_text(const QString& text);
    /// The same for a text that already is a step of the session: it is not recorded again.
    void show_recorded(const QString& text, std::int64_t step);
    const QString& text() const { return text_; }
    /// Records the current text as a step now.
    void commit();
    /// Continues the text by greedy generation; says `generated` with what was added.
    void generate(int tokens);
    /// Runs a text only to compare with it.
    void pin_as_b(const QString& text, std::int64_t step);

    tokenizer::Specials specials() const { return specials_; }
    void set_specials(tokenizer::Specials specials);
    bool starts_with_bos() const;
    bool has_bos() const;

    /// A token of the vocabulary as pictures show it.
    static figure::Token shown(const engine::OpenModel& model, std::int32_t id);
    /// The run that lies in a record.
    static views::RunPtr shown(const std::shared_ptr<engine::OpenModel>& model,
                               const engine::RunRecord& record, const QString& prompt);
    /// Everything that one run of the window captures.
    static run::RunSpec spec_of(const run::RunRow& row);

signals:
    void encoded(const vitrine::window::Encoded& what);
    void refused(const QString& sentence); ///< empty: all is well again
    void arrived(double milliseconds);     ///< from the last keystroke to the run on the desk
    void recorded(std::int64_t step);
    void generated(const QString& text);
    void generating(const QString& so_far);

private:
    Result<run::RunRow> encode(const QString& text, Encoded& out) const;
    void start(bool record);

    Bench& bench_;
    views::Desk& desk_;
    QString text_;
    tokenizer::Specials specials_ = tokenizer::Specials::by_template;
    std::optional<run::RunRow> row_;
    QElapsedTimer since_keystroke_;
    QTimer rest_; ///< fires when typing rests
    std::vector<std::int32_t> recorded_ids_;
    std::string recorded_model_;
    std::int64_t adopted_step_ = 0; ///< the step that `adopted_text_` already is
    QString adopted_text_;
};

} // namespace vitrine::window
