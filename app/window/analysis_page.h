#pragma once
#include <QWidget>

#include "app/window/bench.h"
#include "views/analyses/analysis_form.h"
#include "views/shared/empty_state.h"
#include "views/shared/figure_canvas.h"

class QComboBox;
class QLabel;
class QPushButton;
class QScrollArea;
class QStackedWidget;

namespace vitrine::window {

/// Any analysis: its form from the manifest, its results as pictures, its numbers as files.
class AnalysisPage : public QWidget {
    Q_OBJECT

public:
    /// `ids`: the analyses to choose from; empty: all there are.
    AnalysisPage(Bench& bench, views::Desk& desk, QStringList ids, QWidget* parent = nullptr);

    void set_manifests(const Json& manifests);
    void choose(const QString& id);
    QString chosen() const;
    /// Runs when it is shown and whenever the desk has another run.
    void set_live(bool live) { live_ = live; }
    void run();

signals:
    void finished();

protected:
    void showEvent(QShowEvent* event) override;
    bool eventFilter(QObject* object, QEvent* event) override;

private:
    void show_manifest();
    void run_if_live();
    void show_results(const engine::AnalysisRecord& record, const QString& command);
    void redraw();
    void canvas_clicked(const QPointF& at);

    Bench& bench_;
    views::Desk& desk_;
    QStringList ids_;
    Json manifests_ = Json::array();
    bool live_ = false;
    std::vector<std::int32_t> shown_ids_; ///< the tokens that the picture was made for
    QString shown_analysis_;
    std::optional<engine::AnalysisRecord> record_;
    QString command_;

    QComboBox* choice_;
    QLabel* about_;
    views::AnalysisForm* form_;
    QPushButton* run_;
    QStackedWidget* place_;
    QScrollArea* scroll_;
    views::FigureCanvas* canvas_;
    views::EmptyState* empty_;
};

} // namespace vitrine::window
