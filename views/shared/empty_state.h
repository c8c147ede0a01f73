#pragma once
#include <QPushButton>
#include <QWidget>

class QLabel;

namespace vitrine::views {

/// What stands where a picture would: a sentence, and a button that is the way out.
class EmptyState : public QWidget {
    Q_OBJECT

public:
    explicit EmptyState(QWidget* parent = nullptr);

    /// An empty button text hides the button.
    void say(const QString& sentence, const QString& button = {});

signals:
    void pressed();

private:
    QLabel* sentence_;
    QPushButton* button_;
};

} // namespace vitrine::views
