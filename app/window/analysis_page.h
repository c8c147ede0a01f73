#pragma once
#include <QTimer>
#include <QWidget>
#include <functional>

#include "app/window/bench.h"
#include "app/window/runner.h"
#include "app/window/side_analysis.h"
#include "views/analyses/analysis_form.h"
#include "views/analyses/prompt_set_box.h"
#include "views/shared/elided_label.h"
#include "views/shared/empty_state.h"
#include "views/shared/figure_scroll.h"

class QComboBox;
class QHBoxLayout;
class QLabel;
class QPushButton;
class QStackedWidget;
class QToolButton;

namespace vitrine::window {

/// Rows that an analysis is made on in place of the text.
struct RowsSource {
    std::string key; ///< the same for the same rows
    /// On the device thread.
    std::function<Result<std::vector<run::RunRow>>(const engine::OpenModel&, tokenizer::Specials)> rows;
    /// How the command line names them to an analysis, " --prompts FILE".
    std::function<QString(const QString& analysis)> options;
};

/// Any analysis of what the desk shows (A, B or A − B): its form from the manifest, its results as pictures,
/// its numbers as files. A live page follows the desk, which is a read-out and no step of the session; Run
/// makes a step.
class AnalysisPage : public QWidget {
    Q_OBJECT

public:
    /// `ids`: the analyses to choose from; empty: all there are. `topic`: of the help.
    AnalysisPage(Bench& bench, views::Desk& desk, Runner& runner, QStringList ids, QString topic,
                 QWidget* parent = nullptr);

    /// What is drawn of an analysis: names of results in this order; empty: all of them.
    void show_only(QStringList results);
    /// Draws the results in a way of the page's own; nullptr: as everywhere.
    using Painter =
        std::function<figure::PicturePtr(const engine::AnalysisRecord& record, const figure::Theme& theme)>;
    void set_painter(Painter painter);
    /// A small panel beside a main one: its form and its buttons wait behind "Settings".
    void stand_beside();
    /// The form has a line of its own with these fields; the others wait behind "All settings".
    void keep_short(const QStringList& fields);
    /// A widget of somebody else's above the picture.
    void put_above(QWidget* widget);
    /// What the form says until the user, or a session, says otherwise.
    void set_values(const Json& values);
    Json values() const { return form_->values(); }
    /// Runs if what it would show now is not what it shows, and it is live and seen.
    void run_if_live();
    /// Paints what it shows anew.
    void redraw();

    /// A field of the form follows something else, such as the selected key; a live page runs again once that
    /// rests.
    void follow(const std::string& name, const Json& value);
    /// Shows A as it is, whatever interventions are on and whichever side is looked at.
    void stay_with_a() { with_a_ = true; }
    /// Draws what is shown once more: what its painter looks at has changed.
    void repaint_results() { redraw(); }

    /// Measures a file of prompts in place of the text, where the analysis averages over rows; empty: the
    /// text again.
    void measure(const QString& file);
    QString measured() const;

    /// Rows of somebody else's choosing in place of the text; the box of prompt sets goes.
    void set_source(RowsSource source);

    void set_manifests(const Json& manifests);
    void choose(const QString& id);
    QString chosen() const;
    /// Runs when it is shown and whenever the desk has another run.
    void set_live(bool live) { live_ = live; }
    /// `record`: as a step of the session.
    void run(bool record);
    /// A live page is about to follow the desk.
    bool waiting() const { return live_ && isVisible() && rest_.isActive(); }
    views::FigureCanvas* canvas() { return scroll_->canvas(); }
    /// Of what is shown; nullptr: nothing is.
    const engine::AnalysisRecord* shown() const { return record_ ? &*record_ : nullptr; }
    /// Explain, Export and Run, for whoever has a better place for them than beside the form: beside the
    /// tabs.
    QWidget* controls() { return controls_; }
    /// Puts them beside the form (again).
    void take_controls();
    /// What is shown becomes a step, if it is none yet: it is about to be exported.
    void record_shown();

    /// The analysis and its parameters, as a session remembers them.
    Json state() const;
    void restore(const Json& state);
    /// Shows an analysis as it was recorded or exported.
    void show_again(const QString& id, const Json& parameters);

signals:
    void finished();
    void recorded();
    void state_changed();

protected:
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    bool reads_model_alone() const;
    /// One, or A and B for their difference; empty: nothing to analyse.
    std::vector<AnalysedSide> sides() const;
    std::string key() const; ///< of what would be computed now
    void build();
    void show_manifest();
    void let_choice_shrink();
    void show_settings();
    void stopped(engine::JobId id);
    void show_results(const engine::AnalysisRecord& record, const QString& command);

    Bench& bench_;
    views::Desk& desk_;
    Runner& runner_;
    QStringList ids_;
    QString topic_;
    Json manifests_ = Json::array();
    Json pending_; ///< a state that came before the manifests
    bool live_ = false;
    bool with_a_ = false; ///< whatever the desk shows
    std::optional<RowsSource> source_;
    std::string shown_key_;
    engine::JobId job_ = 0; ///< that the page waits for; 0: none
    std::optional<engine::AnalysisRecord> record_;
    QString command_;
    QTimer rest_;
    QStringList results_; ///< that are drawn; empty: all
    Painter painter_;

    QWidget* controls_;
    QHBoxLayout* head_;
    QComboBox* choice_;
    QLabel* title_;
    views::ElidedLabel* summary_;
    QLabel* about_;
    QLabel* badge_; ///< coordinates and precision of the picture, where the coordinates matter
    QToolButton* explain_;
    views::AnalysisForm* form_;
    views::PromptSetBox* rows_;
    QPushButton* run_;
    QPushButton* export_;
    QStackedWidget* place_;
    views::FigureScroll* scroll_;
    views::EmptyState* empty_;
    QToolButton* settings_ = nullptr; ///< of a panel beside another
};

} // namespace vitrine::window
