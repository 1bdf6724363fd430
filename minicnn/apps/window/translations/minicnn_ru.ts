<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ru" sourcelanguage="en">
<context>
    <name>Column</name>
    <message>
        <source>Press {} to move the selected pictures here</source>
        <translation>Нажмите {}, чтобы переместить выбранные снимки сюда</translation>
    </message>
</context>
<context>
    <name>InterruptedQuestion</name>
    <message>
        <source>The last sort of this folder was interrupted.</source>
        <translation>Последняя сортировка этой папки была прервана.</translation>
    </message>
    <message>
        <source>No image is lost. Go on with it, or take it back?</source>
        <translation>Ни одно изображение не потеряно. Продолжить сортировку или отменить её?</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Продолжить</translation>
    </message>
    <message>
        <source>Take it back</source>
        <translation>Отменить</translation>
    </message>
    <message>
        <source>Later</source>
        <translation>Позже</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>minicnn: sort photos</source>
        <translation>minicnn: сортировка фотографий</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>Открыть папку</translation>
    </message>
    <message>
        <source>Classify</source>
        <translation>Классифицировать</translation>
    </message>
    <message>
        <source>Path of the folder</source>
        <translation>Путь к папке</translation>
    </message>
    <message>
        <source>Images of the folder</source>
        <translation>Изображения в папке</translation>
    </message>
    <message>
        <source>Open a folder for image classification</source>
        <translation>Откройте папку для классификации изображений</translation>
    </message>
    <message>
        <source>Sorted images in percent</source>
        <translation>Отсортировано, в процентах</translation>
    </message>
    <message>
        <source>&amp;Folder</source>
        <translation>&amp;Папка</translation>
    </message>
    <message>
        <source>O&amp;ptions</source>
        <translation>&amp;Настройки</translation>
    </message>
    <message>
        <source>Certainty &amp;needed</source>
        <translation>&amp;Нужная уверенность</translation>
    </message>
    <message>
        <source>&amp;Model</source>
        <translation>&amp;Модель</translation>
    </message>
    <message>
        <source>&amp;Open folder…</source>
        <translation>&amp;Открыть папку…</translation>
    </message>
    <message>
        <source>&amp;Classify</source>
        <translation>&amp;Классифицировать</translation>
    </message>
    <message>
        <source>C&amp;ancel</source>
        <translation>О&amp;становить</translation>
    </message>
    <message>
        <source>&amp;Undo last sort</source>
        <translation>О&amp;тменить последнюю сортировку</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Выход</translation>
    </message>
    <message>
        <source>Include &amp;sub-folders</source>
        <translation>Включая &amp;вложенные папки</translation>
    </message>
    <message>
        <source>&amp;Preview before sorting</source>
        <translation>&amp;Просмотр перед сортировкой</translation>
    </message>
    <message>
        <source>&amp;Learn from sorted folders…</source>
        <translation>&amp;Учиться на отсортированных папках…</translation>
    </message>
    <message>
        <source>&amp;Copy photos</source>
        <translation>&amp;Копировать фотографии</translation>
    </message>
    <message>
        <source>&amp;Move photos</source>
        <translation>П&amp;еремещать фотографии</translation>
    </message>
    <message>
        <source>&amp;The model that comes with minicnn</source>
        <translation>&amp;Модель из состава minicnn</translation>
    </message>
    <message>
        <source>A model of &amp;your own…</source>
        <translation>&amp;Своя модель…</translation>
    </message>
    <message>
        <source>Drop a folder of photos here</source>
        <translation>Перетащите сюда папку с фотографиями</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Остановить</translation>
    </message>
    <message>
        <source>A folder that has one folder of pictures for each class</source>
        <translation>Папка, в которой для каждого класса есть папка снимков</translation>
    </message>
    <message>
        <source>Save the new model</source>
        <translation>Сохранить новую модель</translation>
    </message>
    <message>
        <source>Models (*.mcnn)</source>
        <translation>Модели (*.mcnn)</translation>
    </message>
</context>
<context>
    <name>Options</name>
    <message>
        <source>all are left unsure</source>
        <translation>все останутся в неопределённых</translation>
    </message>
    <message>
        <source>about {} of what is sorted is right, {} are left unsure</source>
        <translation>верно около {} отсортированных, в неопределённых останется {}</translation>
    </message>
    <message>
        <source>Open a model</source>
        <translation>Открыть модель</translation>
    </message>
    <message>
        <source>Models (*.mcnn *.keras *.h5 *.onnx);;All files (*)</source>
        <translation>Модели (*.mcnn *.keras *.h5 *.onnx);;Все файлы (*)</translation>
    </message>
    <message>
        <source>A model of &amp;your own…</source>
        <translation>&amp;Своя модель…</translation>
    </message>
    <message>
        <source>&amp;Your model: {}…</source>
        <translation>&amp;Своя модель: {}…</translation>
    </message>
</context>
<context>
    <name>Preview</name>
    <message>
        <source>Preview: nothing has been sorted yet</source>
        <translation>Просмотр: ещё ничего не отсортировано</translation>
    </message>
    <message>
        <source>by hand</source>
        <translation>вручную</translation>
    </message>
    <message>
        <source>Drag pictures to the folder where they belong, or select them and press the number of the folder. The least certain ones are first.</source>
        <translation>Перетащите снимки в нужную папку или выделите их и нажмите номер папки. Первыми идут наименее уверенные.</translation>
    </message>
    <message numerus="yes">
        <source>Sort %Ln images</source>
        <translation>
            <numerusform>Сортировать %Ln изображение</numerusform>
            <numerusform>Сортировать %Ln изображения</numerusform>
            <numerusform>Сортировать %Ln изображений</numerusform>
        </translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Назад</translation>
    </message>
    <message>
        <source>Move to {}</source>
        <translation>Переместить в {}</translation>
    </message>
</context>
<context>
    <name>Reasons</name>
    <message>
        <source>you have no permission to change it</source>
        <translation>нет прав на изменение</translation>
    </message>
    <message>
        <source>the disk is full; free some space, then classify again</source>
        <translation>диск заполнен; освободите место и классифицируйте ещё раз</translation>
    </message>
    <message>
        <source>the disk is read-only; copy the folder to another one first</source>
        <translation>диск доступен только для чтения; сначала скопируйте папку на другой диск</translation>
    </message>
    <message>
        <source>it was changed after it was sorted</source>
        <translation>файл изменён после сортировки</translation>
    </message>
    <message>
        <source>it is no longer there</source>
        <translation>его больше нет на месте</translation>
    </message>
</context>
<context>
    <name>Status</name>
    <message numerus="yes">
        <source>%Ln images cannot be read and stay where they are.</source>
        <translation>
            <numerusform>%Ln изображение не читается и осталось на месте.</numerusform>
            <numerusform>%Ln изображения не читаются и остались на месте.</numerusform>
            <numerusform>%Ln изображений не читаются и остались на месте.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln images were sorted already.</source>
        <translation>
            <numerusform>%Ln изображение уже отсортировано.</numerusform>
            <numerusform>%Ln изображения уже отсортированы.</numerusform>
            <numerusform>%Ln изображений уже отсортированы.</numerusform>
        </translation>
    </message>
    <message>
        <source>Folder is not open</source>
        <translation>Папка не открыта</translation>
    </message>
    <message>
        <source>There are no images</source>
        <translation>Изображений нет</translation>
    </message>
    <message numerus="yes">
        <source>%Ln images found</source>
        <translation>
            <numerusform>Найдено %Ln изображение</numerusform>
            <numerusform>Найдено %Ln изображения</numerusform>
            <numerusform>Найдено %Ln изображений</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln more are HEIC files, which this reads after: {}</source>
        <translation>
            <numerusform>Ещё %Ln файл HEIC; чтобы читать такие файлы, выполните: {}</numerusform>
            <numerusform>Ещё %Ln файла HEIC; чтобы читать такие файлы, выполните: {}</numerusform>
            <numerusform>Ещё %Ln файлов HEIC; чтобы читать такие файлы, выполните: {}</numerusform>
        </translation>
    </message>
    <message>
        <source>Looking for images…</source>
        <translation>Поиск изображений…</translation>
    </message>
    <message>
        <source>Classifying…</source>
        <translation>Классификация…</translation>
    </message>
    <message>
        <source>Moving…</source>
        <translation>Перемещение…</translation>
    </message>
    <message>
        <source>Copying…</source>
        <translation>Копирование…</translation>
    </message>
    <message>
        <source>Taking the last sort back…</source>
        <translation>Отмена последней сортировки…</translation>
    </message>
    <message>
        <source>Going on with the last sort…</source>
        <translation>Продолжение последней сортировки…</translation>
    </message>
    <message>
        <source>Learning…</source>
        <translation>Обучение…</translation>
    </message>
    <message numerus="yes">
        <source>Learned from %Ln images.</source>
        <translation>
            <numerusform>Модель обучена на %Ln изображении.</numerusform>
            <numerusform>Модель обучена на %Ln изображениях.</numerusform>
            <numerusform>Модель обучена на %Ln изображениях.</numerusform>
        </translation>
    </message>
    <message>
        <source>Of the classes known before, {} were right, and {} are now.</source>
        <translation>Из известных ранее классов верно было {}, теперь {}.</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Остановка…</translation>
    </message>
    <message>
        <source>Stopped; nothing was sorted</source>
        <translation>Остановлено; ничего не отсортировано</translation>
    </message>
    <message>
        <source>Done!</source>
        <translation>Готово!</translation>
    </message>
    <message>
        <source>Stopped; undo once more to take the rest back</source>
        <translation>Остановлено; отмените ещё раз, чтобы вернуть остальное</translation>
    </message>
    <message>
        <source>Everything is as before</source>
        <translation>Всё как прежде</translation>
    </message>
    <message numerus="yes">
        <source>%Ln names are taken; these images are saved as {} and so on.</source>
        <translation>
            <numerusform>%Ln имя занято; изображение будет сохранено как {}.</numerusform>
            <numerusform>%Ln имени заняты; эти изображения будут сохранены как {} и так далее.</numerusform>
            <numerusform>%Ln имён заняты; эти изображения будут сохранены как {} и так далее.</numerusform>
        </translation>
    </message>
    <message>
        <source>The copies need {}, but only {} are free.</source>
        <translation>Для копий нужно {}, а свободно только {}.</translation>
    </message>
    <message numerus="yes">
        <source>Stopped; %Ln images are sorted.</source>
        <translation>
            <numerusform>Остановлено; отсортировано %Ln изображение.</numerusform>
            <numerusform>Остановлено; отсортировано %Ln изображения.</numerusform>
            <numerusform>Остановлено; отсортировано %Ln изображений.</numerusform>
        </translation>
    </message>
    <message>
        <source>“Undo last sort” takes them back.</source>
        <translation>«Отменить последнюю сортировку» вернёт их.</translation>
    </message>
    <message numerus="yes">
        <source>%Ln images stay where they are:</source>
        <translation>
            <numerusform>%Ln изображение осталось на месте:</numerusform>
            <numerusform>%Ln изображения остались на месте:</numerusform>
            <numerusform>%Ln изображений остались на месте:</numerusform>
        </translation>
    </message>
    <message>
        <source>(and other reasons)</source>
        <translation>(и другие причины)</translation>
    </message>
</context>
</TS>
