#pragma once
#include <QWidget>
#include <vector>

#include "views/figure/text.h"

class QLabel;
class QListWidget;
class QListWidgetItem;

namespace vitrine::views {

class Desk;

/// The tokens that could have stood at a step of a generation, most likely first. A click on another one
/// than that which stands there chooses it.
class StepAlternatives : public QWidget {
    Q_OBJECT

public:
    struct Offer {
        std::int32_t id = 0;
        QString token; ///< as pictures show it
        double prob = 0;
    };

    explicit StepAlternatives(const Desk& desk, QWidget* parent = nullptr);

    /// No step is chosen: says what a click on one does.
    void show_nothing();
    /// `own`: the token that stands there.
    void show_offers(int step, const Offer& own, const std::vector<Offer>& offers);
    QListWidget* list() { return list_; }

signals:
    void chosen(std::int32_t id);

private:
    void choose(const QListWidgetItem* item);

    const Desk& desk_;
    QLabel* title_;
    QListWidget* list_;
};

} // namespace vitrine::views
