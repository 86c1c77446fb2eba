export const fusionPanel = () => null;
